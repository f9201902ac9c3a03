internal import Conformance
internal import Cryptography
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Testing

/// NSS softoken has one database in a process, hence one test after the other.
@Suite(.serialized) struct NSSTests {
    static func device(_ change: (inout TokenDeviceConfiguration) -> Void = { _ in }) throws -> TestDevice {
        let fixture = try NSSFixture.shared()
        var configuration = TokenDeviceConfiguration(
            clusterID: TestDevice.clusterID, modulePath: fixture.modulePath, token: .label(NSSFixture.label),
            reservedInitString: fixture.initString)
        configuration.profile.sessionCopies = true
        change(&configuration)
        return try TestDevice(configuration, pin: fixture.pin)
    }

    @Test func `NSS with copies in session memory`() async throws {
        let device = try Self.device()
        try await device.whileConnected { store async throws in
            for check in KeyStoreConformance.allCases {
                let outcome = try await check.run(on: store)
                #expect(outcome == .passed, "\(check.rawValue)")
            }
        }
    }

    @Test func `NSS, every kind of key`() async throws {
        let device = try Self.device()
        try await device.whileConnected { store async throws in
            for kind in KeyKind.allowed {
                try await AlgorithmTests.check(kind, store, refused: [.eccSecgP256k1, .eccNistEdwards25519])
            }
            for kind in KeyKind.forbidden { try await KeyKindConformance(kind).requireForbidden(on: store) }
            #expect(!device.events.contains(.sick))
        }
    }

    @Test(arguments: KeyImportConformance.allowed)
    func `NSS imports`(_ check: KeyImportConformance) async throws {
        let device = try Self.device()
        try await device.whileConnected { store async throws in
            let paths = try await KeyImportTests.check(check, store, refused: [.eccSecgP256k1])
            for (keySpec, path) in paths {
                // Private keys that NSS unwraps can do everything, whatever was asked for.
                #expect(
                    path.exposesMaterialToHost == (keySpec.keyPairKind != nil), "\(keySpec): \(path.description)")
            }
        }
        JunkLoad.expectCalm(device.events)
    }

    @Test(arguments: KeyImportConformance.algorithms)
    func `What must not come in does not, on NSS`(_ check: KeyImportConformance) async throws {
        let device = try Self.device()
        try await device.whileConnected { store async throws in
            #expect(try await check.refuseWrongImports(on: store) > 50)
        }
        JunkLoad.expectCalm(device.events)
    }

    @Test func `NSS, some kinds of key where they are`() async throws {
        let device = try Self.device { $0.profile.sessionCopies = false }
        try await device.whileConnected { store async throws in
            for kind in [
                KeyKind(.rsa2048, .encryptDecrypt), KeyKind(.rsa2048, .signVerify), KeyKind(.eccNistP384, .signVerify),
                KeyKind(.eccNistP256, .keyAgreement), KeyKind(.hmac384, .generateVerifyMac),
            ] {
                try await AlgorithmTests.check(kind, store, refused: [])
            }
        }
    }

    @Test func `NSS does OAEP by itself, and junk has a code of its own`() async throws {
        let device = try Self.device()
        try await device.whileConnected { _ in
            let capabilities = try #require(await device.devices.capabilities(TestDevice.clusterID))
            #expect(capabilities.decodesOAEPInSoftware.isEmpty)
            #expect(capabilities.badPaddingReturnValues.count == 2)
            #expect(capabilities.findings[.unwrapping(.symmetricDefault)] == .yes)
            #expect(capabilities.findings[.unwrapping(.rsa2048)] == .no("CKA_DECRYPT is not false"))
        }
    }

    @Test func `Junk among good calls on NSS`() async throws {
        let device = try Self.device()
        try await device.whileConnected { store async throws in
            try await JunkLoad(store).run()
        }
        JunkLoad.expectCalm(device.events)
    }

    @Test func `NSS with the keys where they are`() async throws {
        let device = try Self.device { $0.profile.sessionCopies = false }
        try await device.whileConnected { store async throws in
            for check in [
                KeyStoreConformance.returnsEveryPlaintext, .bindsAssociatedData, .destroysForGood, .listsWhatItHolds,
            ] {
                let outcome = try await check.run(on: store)
                #expect(outcome == .passed, "\(check.rawValue)")
            }
        }
    }

    @Test func `A key is found again after the login has ended`() async throws {
        let device = try Self.device()
        let (key, message) = try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request())
            return (key, try await store.encrypt(SecretBytes([1, 2]), associatedData: [], with: key))
        }
        try await device.whileConnected { store async throws in
            let opened = try await store.decrypt(message, associatedData: [], with: key)
            #expect(opened.revealed == [1, 2])
            try await store.destroyKey(key.id)
        }
    }

    @Test func `Objects of others on NSS are adopted and not changed`() async throws {
        let token = try ForeignToken.nss()
        try token.use { session throws(PKCS11Error) in
            try ForeignObjects.aes([.id([0xA1]), .label("somebody's")], in: &session)
            try ForeignObjects.pair(
                .rsaKeyPairGeneration, ForeignObjects.rsa(2048), [.id([0xA2])], publicName: [.id([0xA2])],
                flags: [.sign: true, .decrypt: true], in: &session)
            try ForeignObjects.aes([.id([0xA3])], flags: [.extractable: true], in: &session)
        }
        let before = try token.attributes()
        let device = try Self.device()
        let keys = try await device.whileConnected { store async throws in
            #expect(
                await errorCode { _ = try await store.adoptKey(KeyAdoption(objectID: [0xA3])) } == .notAdoptable)
            return [
                try await store.adoptKey(KeyAdoption(label: "somebody's")).backingKey,
                try await store.adoptKey(KeyAdoption(objectID: [0xA2], usage: .signVerify)).backingKey,
            ]
        }
        try await device.whileConnected { store async throws in
            let message = try await store.encrypt(SecretBytes([1, 2]), associatedData: [], with: keys[0])
            #expect(try await store.decrypt(message, associatedData: [], with: keys[0]).revealed == [1, 2])
            #expect(
                try await store.sign(.message([1]), algorithm: .rsassaPssSha256, with: keys[1]).count == 256)
            try await store.destroyKey(keys[0].id)
        }
        #expect(try token.attributes() == before)
        try await device.whileConnected { store async throws in
            for key in keys { try await store.destroyAdoptedObject(key.reference) }
        }
        #expect(try token.attributes().count == before.count - 2)
    }

    @Test func `A wrong PIN is refused and remembered`() async throws {
        let device = try Self.device()
        for _ in 0..<2 {
            let failure = await failure { _ = try await device.connect(pin: "not the one") }
            #expect(failure?.code == .invalidCredentials)
        }
        #expect(device.refusals.count == 1)
    }

    @Test func `A module in use cannot get another initialisation string`() async throws {
        let device = try Self.device()
        try await device.whileConnected { _ in
            let other = try Self.device { $0.reservedInitString = "configdir='sql:/nowhere' flags=" }
            let failure = await failure { _ = try await other.connect() }
            #expect(failure?.code == .internalError)
        }
    }
}
