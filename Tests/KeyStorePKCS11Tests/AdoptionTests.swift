internal import Conformance
internal import Cryptography
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Testing

/// Objects that others have made become backing keys, as they are.
@Suite struct AdoptionTests {
    private static func encrypts(_ key: BackingKey, in store: any KeyStore) async throws {
        let message = try await store.encrypt(SecretBytes([1, 2]), associatedData: [3], with: key)
        #expect(try await store.decrypt(message, associatedData: [3], with: key).revealed == [1, 2])
    }

    private static func signs(_ key: BackingKey, _ kind: AsymmetricKeyKind, in store: any KeyStore) async throws {
        let message = Array("message".utf8)
        let algorithm = SigningAlgorithmSpec.ecdsaSha256
        let signature = try await store.sign(.message(message), algorithm: algorithm, with: key)
        let publicKey = try PublicKey(spki: try #require(key.publicKey), kind: kind)
        #expect(
            try publicKey.isValid(signature: signature.span, of: message.span, as: .message, algorithm.scheme))
    }

    /// The reason why an object is refused; nil when it is not.
    private static func refusal(_ request: KeyAdoption, in store: any KeyStore) async -> String? {
        do {
            _ = try await store.adoptKey(request)
            return nil
        } catch {
            return error.code == .notAdoptable ? error.reason : "\(error)"
        }
    }

    @Test func `Keys of every kind are adopted, found again, and not changed`() async throws {
        let token = try ForeignToken.softHSM()
        try token.use { session throws(PKCS11Error) in
            try ForeignObjects.aes([.id([1]), .label("aes")], in: &session)
            try ForeignObjects.aes([.label("without an id")], in: &session)
            for bytes in [28, 32, 48, 64] {
                try ForeignObjects.secret([.id([UInt8(bytes)])], bytes: bytes, in: &session)
            }
            try ForeignObjects.pair(
                .ecKeyPairGeneration, ForeignObjects.p256, [.id([2, 2])], publicName: [.id([2, 2])],
                flags: [.sign: true, .derive: true], in: &session)
            // Its modulus and exponent stand in the private key, too.
            try ForeignObjects.pair(
                .rsaKeyPairGeneration, ForeignObjects.rsa(2048), [.label("rsa")], publicName: [],
                flags: [.decrypt: true], in: &session)
        }
        let before = try token.attributes()
        let adopted = try await token.device.whileConnected { store async throws in
            var adopted: [AdoptedKey] = []
            adopted.append(try await store.adoptKey(KeyAdoption(label: "aes")))
            adopted.append(try await store.adoptKey(KeyAdoption(label: "without an id")))
            for bytes in [UInt8](arrayLiteral: 28, 32, 48, 64) {
                adopted.append(try await store.adoptKey(KeyAdoption(objectID: [bytes])))
            }
            adopted.append(try await store.adoptKey(KeyAdoption(objectID: [2, 2], usage: .signVerify)))
            adopted.append(try await store.adoptKey(KeyAdoption(objectID: [2, 2], usage: .keyAgreement)))
            adopted.append(try await store.adoptKey(KeyAdoption(label: "rsa", usage: .encryptDecrypt)))
            return adopted
        }
        #expect(
            adopted.map(\.backingKey.keySpec) == [
                .symmetricDefault, .symmetricDefault, .hmac224, .hmac256, .hmac384, .hmac512, .eccNistP256,
                .eccNistP256,
                .rsa2048,
            ])
        #expect(adopted[1].objectID.isEmpty && adopted[1].entry.label == "without an id")
        let observation = try #require(adopted[6].observations.first)
        #expect(observation.hasPrefix("It can do more than SIGN_VERIFY needs: CKA_"))
        #expect(observation.contains("CKA_DERIVE") && !observation.contains("CKA_SIGN,"))
        try await token.device.whileConnected { store async throws in
            let keys = adopted.map(\.backingKey)
            try await Self.encrypts(keys[0], in: store)
            try await Self.encrypts(keys[1], in: store)
            let code = try await store.authenticate(SecretBytes([1]), algorithm: .hmacSha512, with: keys[5])
            #expect(code.count == 64)
            try await Self.signs(keys[6], .p256, in: store)
            let publicKey = try PublicKey(spki: try #require(keys[8].publicKey), kind: .rsa2048)
            let ciphertext = try publicKey.encrypt([7, 8].span, .rsaOAEP(.sha256))
            #expect(
                try await store.decrypt(ciphertext, algorithm: .rsaesOaepSha256, with: keys[8]).revealed == [7, 8])
            // One value for one material, whatever it is called.
            let fingerprints = [try await store.fingerprint(of: keys[0]), try await store.fingerprint(of: keys[1])]
            #expect(fingerprints[0].revealed != fingerprints[1].revealed)
            // Each object says which of them it is.
            let inventory = try #require(try await store.inventory())
            for key in adopted {
                #expect(inventory.filter { $0.reference == key.backingKey.reference } == [key.entry])
            }
        }
        #expect(try token.attributes() == before)
    }

    @Test func `What cannot be a KMS key is refused with its reason, and left as it is`() async throws {
        let token = try ForeignToken.softHSM()
        try token.use { session throws(PKCS11Error) in
            try ForeignObjects.aes([.id([1])], flags: [.extractable: true], in: &session)
            try ForeignObjects.aes([.id([2])], flags: [.sensitive: false], in: &session)
            try ForeignObjects.aes([.id([3])], flags: [.decrypt: false], in: &session)
            try ForeignObjects.aes([.id([4])], bytes: 16, in: &session)
            try ForeignObjects.secret([.id([5])], bytes: 20, in: &session)
            try ForeignObjects.aes([.id([6]), .label("twin")], in: &session)
            try ForeignObjects.aes([.id([7]), .label("twin")], in: &session)
            try ForeignObjects.aes([.id([8]), .label("one of two")], in: &session)
            try ForeignObjects.aes([.id([8]), .label("the other")], in: &session)
            let pair = MechanismType.ecKeyPairGeneration
            try ForeignObjects.pair(
                pair, ForeignObjects.p256, [.id([9])], publicName: [], flags: [.sign: true], in: &session)
            // A public key that belongs to another one.
            try ForeignObjects.pair(
                pair, ForeignObjects.p256, [.id([10])], publicName: [.id([11])], flags: [.sign: true], in: &session)
            try ForeignObjects.pair(
                pair, ForeignObjects.p256, [.id([12])], publicName: [.id([10])], flags: [.sign: true], in: &session)
            try ForeignObjects.pair(
                .rsaKeyPairGeneration, ForeignObjects.rsa(1024), [.id([13])], publicName: [], flags: [.sign: true],
                in: &session)
            try ForeignObjects.pair(
                .rsaKeyPairGeneration, ForeignObjects.rsa(2048, exponent: [0, 0, 0, 3]), [.id([14])], publicName: [],
                flags: [.sign: true], in: &session)
            // CKM_AES_CBC alone (0x1082).
            try ForeignObjects.aes(
                [.id([15])], more: [.bytes(.allowedMechanisms, [0x82, 0x10, 0, 0, 0, 0, 0, 0])], in: &session)
        }
        let before = try token.attributes()
        let cases: [(KeyAdoption, String)] = [
            (try KeyAdoption(objectID: [1]), "CKA_EXTRACTABLE is not false"),
            (try KeyAdoption(objectID: [2]), "CKA_SENSITIVE is not true"),
            (try KeyAdoption(objectID: [3]), "ENCRYPT_DECRYPT needs CKA_DECRYPT"),
            (try KeyAdoption(objectID: [4]), "AES key of 128 bits"),
            (try KeyAdoption(objectID: [5]), "a secret of 160 bits"),
            (try KeyAdoption(label: "twin"), "2 secret and private keys"),
            (try KeyAdoption(objectID: [8]), "2 secret and private keys"),
            (try KeyAdoption(label: "one of two"), "several keys of its class and type have the id 08"),
            (try KeyAdoption(objectID: [9], usage: .signVerify), "public key is neither on the token nor"),
            (try KeyAdoption(objectID: [10], usage: .signVerify), "its public key does not belong to it"),
            (try KeyAdoption(objectID: [11]), "no secret or private key with the id 0b, only CKO_PUBLIC_KEY"),
            (try KeyAdoption(objectID: [12]), "a key usage is to be named: SIGN_VERIFY or KEY_AGREEMENT"),
            (try KeyAdoption(objectID: [12], usage: .encryptDecrypt), "not for ENCRYPT_DECRYPT"),
            (try KeyAdoption(objectID: [12], usage: .keyAgreement), "KEY_AGREEMENT needs CKA_DERIVE"),
            (try KeyAdoption(objectID: [13], usage: .signVerify), "RSA key of 1024 bits"),
            (try KeyAdoption(objectID: [14], usage: .signVerify), "public exponent is not 65537"),
            (try KeyAdoption(objectID: [15]), "CKA_ALLOWED_MECHANISMS allows 1"),
            (try KeyAdoption(label: "strongroom canary"), "by which the server watches over the token"),
            (try KeyAdoption(label: "nobody"), "no secret or private key with the label \"nobody\""),
        ]
        try await token.device.whileConnected { store async throws in
            for (request, reason) in cases {
                let answer = await Self.refusal(request, in: store)
                #expect(answer?.contains(reason) == true, "\(request.object): \(answer ?? "adopted")")
            }
            #expect(!token.device.events.contains(.sick))
        }
        #expect(try token.attributes() == before)
    }

    @Test func `A twin that comes later makes an adopted key unusable, and one that goes makes it missing`()
        async throws
    {
        let token = try ForeignToken.softHSM()
        try token.use { session throws(PKCS11Error) in try ForeignObjects.aes([.id([1])], in: &session) }
        let key = try await token.device.whileConnected { store async throws in
            try await store.adoptKey(KeyAdoption(objectID: [1])).backingKey
        }
        try token.use { session throws(PKCS11Error) in try ForeignObjects.aes([.id([1])], in: &session) }
        try await token.device.whileConnected { store async throws in
            #expect(await errorCode { try await Self.encrypts(key, in: store) } == .internalFailure)
            #expect(await errorCode { try await store.destroyAdoptedObject(key.reference) } == .internalFailure)
        }
        try token.use { session throws(PKCS11Error) in
            for object in try session.findObjects([.id([1])]) { try session.destroyObject(object) }
            // Of the same name and another kind: not the one that was adopted.
            try ForeignObjects.secret([.id([1])], bytes: 32, in: &session)
        }
        try await token.device.whileConnected { store async throws in
            #expect(await errorCode { try await Self.encrypts(key, in: store) } == .keyNotFound)
            #expect(await errorCode { _ = try await store.fingerprint(of: key) } == .keyNotFound)
        }
    }

    @Test func `An adopted object is destroyed only by its own word, and alone`() async throws {
        let token = try ForeignToken.softHSM()
        try token.use { session throws(PKCS11Error) in
            try ForeignObjects.pair(
                .ecKeyPairGeneration, ForeignObjects.p256, [.id([1])], publicName: [.id([1])], flags: [.sign: true],
                in: &session)
            try ForeignObjects.aes([.id([1])], in: &session)
        }
        try await token.device.whileConnected { store async throws in
            let ambiguous = await Self.refusal(try KeyAdoption(objectID: [1]), in: store)
            #expect(ambiguous?.hasPrefix("2 secret and private keys") == true)
        }
        try token.use { session throws(PKCS11Error) in
            for object in try session.findObjects([.objectClass(.secretKey), .id([1])]) {
                try session.destroyObject(object)
            }
        }
        try await token.device.whileConnected { store async throws in
            let key = try await store.adoptKey(KeyAdoption(objectID: [1], usage: .signVerify)).backingKey
            // The id of the backing key is not on the token.
            try await store.destroyKey(key.id)
            try await Self.signs(key, .p256, in: store)
            try await store.destroyAdoptedObject(key.reference)
            #expect(await errorCode { try await Self.signs(key, .p256, in: store) } == .keyNotFound)
            try await store.destroyAdoptedObject(key.reference)
            for junk in [[], [1], [2] + key.reference.dropFirst(), Array(key.reference.dropLast())] as [[UInt8]] {
                #expect(await errorCode { try await store.destroyAdoptedObject(junk) } == .internalFailure)
            }
        }
        let left = try token.attributes()
        #expect(left.count == 1 && left[0].contains("CKA_CLASS=[2, 0, 0, 0, 0, 0, 0, 0]"))
    }

    @Test func `Every object is listed with what it says of itself`() async throws {
        let token = try ForeignToken.softHSM()
        try token.use { session throws(PKCS11Error) in
            try ForeignObjects.pair(
                .ecKeyPairGeneration, ForeignObjects.p256, [.id([1]), .label("signs")], publicName: [.id([1])],
                flags: [.sign: true], in: &session)
        }
        try await token.device.whileConnected { store async throws in
            let own = try await store.generateKey(ConformanceKeys.request())
            let objects = try #require(try await store.objects())
            #expect(objects.count == 4 && objects.filter(\.isCanary).count == 1)
            let mine = try #require(objects.first { $0.entry?.id == own.id })
            #expect(mine.objectClass == "CKO_SECRET_KEY" && mine.keyType == "CKK_AES" && mine.sizeInBits == 256)
            #expect(mine.flags["CKA_EXTRACTABLE"] == false && mine.flags["CKA_ENCRYPT"] == true)
            let signs = try #require(objects.first { $0.label == "signs" })
            #expect(signs.objectClass == "CKO_PRIVATE_KEY" && signs.sizeInBits == 256 && signs.id == [1])
            #expect(objects.contains { $0.objectClass == "CKO_PUBLIC_KEY" && $0.entry == nil })
        }
    }
}
