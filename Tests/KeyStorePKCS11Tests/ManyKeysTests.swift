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
    // MARK: Many keys

    /// What costs the same with ten keys and with a thousand, counted in calls.
    @Test(.timeLimit(.minutes(2))) func `A thousand keys cost no more calls than ten`() async throws {
        let device = try TestDevice.faulty()
        var keys = try await device.whileConnected { store async throws in try await Self.makeKeys(10, on: store) }
        let few = try await costs(of: device, keys)
        keys += try await device.whileConnected { store async throws in try await Self.makeKeys(990, on: store) }
        let many = try await costs(of: device, keys)
        #expect(few.searches > 0 && many.searches == few.searches)
        #expect(many.encryption == few.encryption && many.decryption == few.decryption)
        #expect(many.creation == few.creation)
        #expect(many.imports == few.imports)
        // A search is one call, and looks at every object.
        #expect(!(many.encryption + many.decryption + many.creation + many.imports).contains("C_FindObjectsInit"))
    }

    private struct Costs {
        /// Of a connect.
        let searches: Int
        // Of one operation.
        let encryption: [String]
        let decryption: [String]
        /// And destruction.
        let creation: [String]
        /// And the deletion of what was imported, with that of the wrapping key.
        let imports: [String]
    }

    private func costs(of device: TestDevice, _ keys: [BackingKey]) async throws -> Costs {
        try faults.clearLog()
        return try await device.whileConnected { store async throws in
            let searches = try faults.calls().count { $0 == "C_FindObjectsInit" }
            let key = try #require(keys.last)
            var message = try await store.encrypt(SecretBytes([1, 2]), associatedData: [], with: key)
            let encryption = try await calls {
                message = try await store.encrypt(SecretBytes([1, 2]), associatedData: [], with: key)
            }
            let decryption = try await calls {
                let opened = try await store.decrypt(message, associatedData: [], with: key)
                #expect(opened.revealed == [1, 2])
            }
            let creation = try await calls {
                for kind in [KeyKind(.symmetricDefault, .encryptDecrypt), KeyKind(.eccNistP256, .signVerify)] {
                    let made = try await store.generateKey(ConformanceKeys.request(kind.keySpec, kind.usage))
                    try await store.destroyKey(made.id)
                }
            }
            let imports = try await calls { try await Self.importAndDestroy(in: store) }
            return Costs(
                searches: searches, encryption: encryption, decryption: decryption, creation: creation,
                imports: imports)
        }
    }

    private static func importAndDestroy(in store: any KeyStore) async throws {
        let key = ConformanceKeys.request(.eccNistP256, .signVerify)
        let wrappingKey = try await store.makeWrappingKey(
            WrappingKeyGeneration(
                id: ConformanceKeys.request().id, wrappingKeySpec: .rsa2048, wrappingAlgorithm: .rsaAesKeyWrapSha256,
                kmsKeyID: key.kmsKeyID, label: "many"))
        let material = try PrivateKey.generate(.p256).pkcs8()
        let wrapped = try PublicKey(spki: wrappingKey.publicKey, kind: .rsa2048)
            .wrap(material, .rsaAESKeyWrap(.sha256))
        _ = try await store.importKey(KeyImport(key: key, wrappedMaterial: wrapped, wrappingKey: wrappingKey))
        try await store.destroyKey(key.id)
        // Junk leaves nothing to be searched for.
        var junk = wrapped
        junk[junk.count - 1] ^= 1
        let refused = ConformanceKeys.request(.eccNistP256, .signVerify)
        let code = await errorCode {
            _ = try await store.importKey(
                KeyImport(key: refused, wrappedMaterial: junk, wrappingKey: wrappingKey))
        }
        #expect(code == .invalidCiphertext)
        try await store.discardKey(refused.id)
        try await store.destroyKey(wrappingKey.id)
    }

    /// What is called for `work`, by workers that have their session already or not: opening one is not counted.
    private func calls(_ work: () async throws -> Void) async throws -> [String] {
        try faults.clearLog()
        try await work()
        return try faults.calls().filter { $0 != "C_OpenSession" && $0 != "C_GetSessionInfo" }
    }

    private static func makeKeys(_ count: Int, on store: any KeyStore) async throws -> [BackingKey] {
        var keys: [BackingKey] = []
        for _ in 0..<count { keys.append(try await store.generateKey(ConformanceKeys.request())) }
        return keys
    }

    // MARK: Copies in session memory

    private func copies() throws -> Int { try faults.calls().count { $0 == "C_CopyObject" } }

    private static func use(_ key: BackingKey, _ store: any KeyStore) async throws {
        let message = try await store.encrypt(SecretBytes([1, 2]), associatedData: [], with: key)
        let opened = try await store.decrypt(message, associatedData: [], with: key)
        try #require(opened.revealed == [1, 2])
    }

    @Test func `A copy is made when its key is first used, and once`() async throws {
        let device = try TestDevice.faulty { $0.profile.sessionCopies = true }
        try faults.clearLog()
        try await device.whileConnected { store async throws in
            let keys = try await Self.makeKeys(5, on: store)
            #expect(try copies() == 0)
            for _ in 0..<3 { for key in keys.prefix(2) { try await Self.use(key, store) } }
            #expect(try copies() == 2)
        }
        try faults.clearLog()
        try await device.whileConnected { store async throws in
            #expect(try copies() == 0)
            _ = store
        }
    }

    @Test func `Without copies in the profile there are none`() async throws {
        let device = try TestDevice.faulty()
        try faults.clearLog()
        try await device.whileConnected { store async throws in
            for key in try await Self.makeKeys(2, on: store) { try await Self.use(key, store) }
        }
        #expect(try copies() == 0)
    }

    @Test func `A new login makes new copies and uses no old one`() async throws {
        let device = try TestDevice.faulty {
            $0.profile.sessionCopies = true
            $0.profile.recoveryDelayMilliseconds = 10
            $0.profile.canaryIntervalMilliseconds = 20
        }
        try await device.whileConnected { store async throws in
            let keys = try await Self.makeKeys(3, on: store)
            for key in keys { try await Self.use(key, store) }
            try faults.command("* vanish")
            try await device.wait(for: "sickness") { device.events.contains(.sick) }
            try faults.clearLog()
            try faults.command()
            try await device.wait(for: "recovery") { device.events.contains(.recovered) }
            for _ in 0..<2 { for key in keys { try await Self.use(key, store) } }
            let calls = try faults.calls()
            #expect(calls.contains("C_Login"))
            #expect(calls.count { $0 == "C_CopyObject" } == 3)
            // No handle of before reached the token: each key was used by one handle that it knows, at the first try.
            #expect(calls.count { $0 == "C_Encrypt" } == calls.count { $0 == "C_EncryptInit" })
        }
    }

    @Test func `What cannot be copied is used where it is, and is not tried again`() async throws {
        let device = try TestDevice.faulty { $0.profile.sessionCopies = true }
        try await device.whileConnected { store async throws in
            let keys = try await Self.makeKeys(2, on: store)
            // CKR_DEVICE_MEMORY: no room for session objects.
            try faults.command("C_CopyObject return 31")
            try faults.clearLog()
            for _ in 0..<3 { for key in keys { try await Self.use(key, store) } }
            #expect(try copies() == 2)
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `A copy that could be read is not used`() async throws {
        let device = try TestDevice.faulty { $0.profile.sessionCopies = true }
        try await device.whileConnected { store async throws in
            let key = try await Self.makeKeys(1, on: store)[0]
            // CKA_EXTRACTABLE is true.
            try faults.command("C_GetAttributeValue lie 162 1")
            try faults.clearLog()
            try await Self.use(key, store)
            try await Self.use(key, store)
            #expect(try copies() == 1)
            #expect(try faults.calls().count { $0 == "C_DestroyObject" } == 1)
        }
    }

    @Test func `There are no more copies than the profile allows`() async throws {
        let device = try TestDevice.faulty {
            $0.profile.sessionCopies = true
            $0.profile.sessionCopyLimit = 2
        }
        try await device.whileConnected { store async throws in
            let keys = try await Self.makeKeys(4, on: store)
            try faults.clearLog()
            for _ in 0..<2 { for key in keys { try await Self.use(key, store) } }
            #expect(try copies() == 2)
            // A key that goes makes room for another's copy.
            try await store.destroyKey(keys[0].id)
            for key in keys.dropFirst() { try await Self.use(key, store) }
            #expect(try copies() == 3)
        }
    }

    @Test func `Many first uses at once make one copy of a key and are all right`() async throws {
        let device = try TestDevice.faulty { $0.profile.sessionCopies = true }
        try await device.whileConnected { store async throws in
            let keys = try await Self.makeKeys(8, on: store)
            try faults.clearLog()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 { group.addTask { try await Self.use(keys[number % 8], store) } }
                try await group.waitForAll()
            }
            for key in keys { try await Self.use(key, store) }
            #expect(try copies() == 8)
        }
    }

    @Test func `The copy of a destroyed key goes with it`() async throws {
        let device = try TestDevice.faulty { $0.profile.sessionCopies = true }
        try await device.whileConnected { store async throws in
            let key = try await Self.makeKeys(1, on: store)[0]
            try await Self.use(key, store)
            try faults.clearLog()
            try await store.destroyKey(key.id)
            #expect(try faults.calls().count { $0 == "C_DestroyObject" } == 2)
        }
    }
}
