internal import Conformance
internal import Cryptography
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Testing

extension FaultTests {
    // MARK: Key pairs

    /// SENSITIVE, EXTRACTABLE, DERIVE and TOKEN, each told wrongly.
    @Test(arguments: ["103 0", "162 1", "10C 1", "1 0"])
    func `A key pair that is not what was asked for is destroyed, both halves of it`(_ lie: String) async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            try faults.command("C_GetAttributeValue lie \(lie)")
            for kind in [KeyKind(.eccNistP256, .signVerify), KeyKind(.eccNistEdwards25519, .signVerify)] {
                let request = ConformanceKeys.request(kind.keySpec, kind.usage)
                #expect(await errorCode { _ = try await store.generateKey(request) } == .internalFailure)
            }
            try faults.command()
            #expect(try await store.inventory()?.isEmpty == true)
        }
    }

    @Test(arguments: ["C_GetAttributeValue return 5 times 1", "C_GetAttributeValue return 5 times 1 skip 1"])
    func `An error while reading either half back destroys both`(_ command: String) async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            try faults.command(command)
            let request = ConformanceKeys.request(.eccNistP256, .signVerify)
            #expect(await errorCode { _ = try await store.generateKey(request) } == .internalFailure)
            try faults.command()
            #expect(try await store.inventory()?.isEmpty == true)
        }
    }

    @Test func `A new pair whose private half does not work is not acknowledged`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            try faults.command("C_Sign return 30 times 1")
            let request = ConformanceKeys.request(.eccNistP256, .signVerify)
            #expect(await errorCode { _ = try await store.generateKey(request) } == .internalFailure)
            try faults.command()
            #expect(try await store.inventory()?.isEmpty == true)
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `A pair that comes too late is destroyed`() async throws {
        let device = try TestDevice.faulty { $0.profile.keyPairTimeoutMilliseconds = 700 }
        try await device.whileConnected { store async throws in
            try faults.command("C_GetAttributeValue delay 1500 times 1")
            let request = ConformanceKeys.request(.eccNistP256, .signVerify)
            #expect(await errorCode { _ = try await store.generateKey(request) } == .timedOut)
            try await device.wait(for: "the late pair to be destroyed") {
                try faults.calls().filter { $0 == "C_DestroyObject" }.count >= 2
            }
            try faults.command()
            try await device.wait(for: "nothing to be left") { try await store.inventory()?.isEmpty == true }
        }
    }

    @Test func `Making a pair may take longer than any other call`() async throws {
        let device = try TestDevice.faulty { $0.profile.callTimeoutMilliseconds = 1_000 }
        try await device.whileConnected { store async throws in
            try faults.command("C_GetAttributeValue delay 2000 times 1")
            let key = try await store.generateKey(ConformanceKeys.request(.eccNistP256, .signVerify))
            #expect(try await store.sign(.message([1]), algorithm: .ecdsaSha256, with: key).count > 60)
            #expect(!device.events.contains(.stuckCall))
        }
    }

    @Test func `A device error of one signature is not sickness`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request(.eccNistP256, .signVerify))
            let mac = try await store.generateKey(ConformanceKeys.request(.hmac256, .generateVerifyMac))
            let sign = { () async throws in
                _ = try await store.sign(.message([1]), algorithm: .ecdsaSha256, with: key)
            }
            let authenticate = { () async throws in
                _ = try await store.authenticate(SecretBytes([1]), algorithm: .hmacSha256, with: mac)
            }
            for operation in [sign, authenticate] {
                try faults.command("C_Sign return 30 times 1")
                try await operation()
            }
            // CKR_DEVICE_ERROR and CKR_GENERAL_ERROR, which are tried once more, and CKR_DATA_LEN_RANGE.
            for (code, attempts) in [("30", 2), ("5", 2), ("21", 1)] {
                for operation in [sign, authenticate] {
                    try faults.clearLog()
                    try faults.command("C_Sign return \(code)")
                    #expect(await errorCode(of: operation) == .internalFailure)
                    #expect(try faults.calls().count { $0 == "C_Sign" } == attempts)
                }
            }
            try faults.command()
            _ = try await store.sign(.message([1]), algorithm: .ecdsaSha256, with: key)
            #expect(!device.events.contains(.sick))
        }
    }

    @Test(arguments: [
        (KeySpec.eccNistP256, SigningAlgorithmSpec.ecdsaSha256), (.eccNistEdwards25519, .ed25519Sha512),
        (.rsa2048, .rsassaPkcs1V15Sha256), (.rsa2048, .rsassaPssSha512),
    ])
    func `A wrong signature is not handed out`(_ keySpec: KeySpec, _ algorithm: SigningAlgorithmSpec) async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request(keySpec, .signVerify))
            let sign = { () async throws in _ = try await store.sign(.message([1]), algorithm: algorithm, with: key) }
            try await sign()
            try faults.command("C_Sign corrupt")
            #expect(await errorCode(of: sign) == .internalFailure)
            try faults.command()
            try await sign()
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `Lost sessions cost signatures, codes and OAEP nothing`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request(.eccNistP256, .signVerify))
            let mac = try await store.generateKey(ConformanceKeys.request(.hmac256, .generateVerifyMac))
            let pair = try await store.generateKey(ConformanceKeys.request(.rsa2048, .encryptDecrypt))
            let publicKey = try PublicKey(spki: #require(pair.publicKey), kind: .rsa2048)
            // CKR_SESSION_HANDLE_INVALID once.
            try faults.command("C_SignInit return B3 times 1")
            _ = try await store.sign(.message([1]), algorithm: .ecdsaSha256, with: key)
            try faults.command("C_SignInit return B3 times 1", "# again")
            _ = try await store.authenticate(SecretBytes([1]), algorithm: .hmacSha256, with: mac)
            for (algorithm, hash) in [
                (EncryptionAlgorithmSpec.rsaesOaepSha1, HashFunction.sha1), (.rsaesOaepSha256, .sha256),
            ] {
                let ciphertext = try publicKey.encrypt([1, 2, 3].span, .rsaOAEP(hash))
                // And a passing CKR_DEVICE_ERROR, which is not what this token answers to junk.
                try faults.command("C_Decrypt return 30 times 1", "# \(algorithm)")
                let plaintext = try await store.decrypt(ciphertext, algorithm: algorithm, with: pair)
                #expect(plaintext.revealed == [1, 2, 3])
            }
            #expect(!device.events.contains(.sick))
        }
    }

    // MARK: Leftovers

    @Test func `Destroying a key destroys a public half that was there when the server logged in`() async throws {
        let token = try SoftHSMFixture.shared().takeToken()
        let configuration = TokenDeviceConfiguration(
            clusterID: TestDevice.clusterID, modulePath: SoftHSMFixture.modulePath, token: .label(token.label))
        let device = try TestDevice(configuration, pin: token.pin)
        let key = try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request(.eccNistP256, .signVerify))
            let point = try #require(key.publicKey).suffix(65)
            let slot = try #require(
                try Module.load(path: SoftHSMFixture.modulePath).slotsWithToken().first { slot in
                    try slot.tokenInfo().label == token.label
                })
            var session = try slot.openSession(epoch: LoginEpoch())
            _ = try session.createObject([
                .objectClass(.publicKey), .keyType(.ec), .flag(.token, true), .id(key.id.bytes),
                .bytes(.ecParameters, [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]),
                .bytes(.ecPoint, [0x04, 0x41] + point),
            ])
            #expect(try session.findObjects([.id(key.id.bytes)]).count == 2)
            // It is nobody's key material and does not make the identity ambiguous.
            #expect(try await store.inventory()?.count == 1)
            return key
        }
        try await device.whileConnected { store async throws in
            try await store.destroyKey(key.id)
            #expect(try await store.objects()?.contains { $0.id == key.id.bytes } == false)
        }
    }
}
