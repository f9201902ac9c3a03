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
    // MARK: A full token

    /// CKR_DEVICE_MEMORY of whatever makes objects; the second time its answer is told after the object was made.
    @Test(arguments: ["return", "lose"])
    func `A full token makes no key, keeps nothing, and does its other work`(_ verb: String) async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            let message = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
            try faults.command("C_GenerateKey,C_GenerateKeyPair,C_CreateObject,C_UnwrapKey \(verb) 31")
            for kind in [
                KeyKind(.symmetricDefault, .encryptDecrypt), KeyKind(.hmac256, .generateVerifyMac),
                KeyKind(.eccNistP256, .signVerify), KeyKind(.rsa2048, .signVerify),
            ] {
                let request = ConformanceKeys.request(kind.keySpec, kind.usage)
                #expect(await errorCode { _ = try await store.generateKey(request) } == .full, "\(kind)")
                // As whoever asked for the key does.
                try await store.discardKey(request.id)
            }
            #expect(try await store.decrypt(message, associatedData: [], with: key).revealed == [1])
            try faults.command()
            #expect(try await store.inventory()?.map(\.id) == [key.id])
            _ = try await store.generateKey(ConformanceKeys.request())
            #expect(!device.events.contains(.sick))
        }
    }

    /// Every call in the making of a key that can find the token full.
    @Test(arguments: [KeySpec.symmetricDefault, .eccNistP256], 0..<3)
    func `Whichever object finds no room, an import leaves nothing`(_ keySpec: KeySpec, _ call: Int) async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            let wrappingKey = try await store.makeWrappingKey(
                WrappingKeyGeneration(
                    id: ConformanceKeys.request().id, wrappingKeySpec: .rsa2048,
                    wrappingAlgorithm: .rsaAesKeyWrapSha256,
                    kmsKeyID: ConformanceKeys.request().kmsKeyID, label: "full"))
            let usage: KeyUsageType = keySpec == .symmetricDefault ? .encryptDecrypt : .signVerify
            let key = ConformanceKeys.request(keySpec, usage)
            let publicKey = try PublicKey(spki: wrappingKey.publicKey, kind: .rsa2048)
            let material =
                keySpec == .symmetricDefault
                ? SecretBytes([UInt8](repeating: 3, count: 32)) : try PrivateKey.generate(.p256).pkcs8()
            let request = KeyImport(
                key: key, wrappedMaterial: try publicKey.wrap(material, .rsaAESKeyWrap(.sha256)),
                wrappingKey: wrappingKey)
            try faults.command("C_GenerateKey,C_CreateObject,C_UnwrapKey return 31 times 1 skip \(call)")
            let code = await errorCode { _ = try await store.importKey(request) }
            try faults.command()
            // An import makes one to three objects, as the token needs it.
            #expect(code == .full || call > 0 && code == nil)
            try await store.discardKey(key.id)
            #expect(try await store.inventory()?.map(\.id) == [wrappingKey.id])
            _ = try await store.importKey(
                KeyImport(
                    key: ConformanceKeys.request(keySpec, usage), wrappedMaterial: request.wrappedMaterial,
                    wrappingKey: wrappingKey))
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `A full token makes no wrapping key`() async throws {
        let device = try TestDevice.faulty()
        try await device.whileConnected { store async throws in
            try faults.command("C_GenerateKeyPair return 31")
            let request = WrappingKeyGeneration(
                id: ConformanceKeys.request().id, wrappingKeySpec: .rsa2048, wrappingAlgorithm: .rsaesOaepSha256,
                kmsKeyID: ConformanceKeys.request().kmsKeyID, label: "full")
            #expect(await errorCode { _ = try await store.makeWrappingKey(request) } == .full)
            try faults.command()
            #expect(try await store.inventory()?.isEmpty == true)
        }
    }
}
