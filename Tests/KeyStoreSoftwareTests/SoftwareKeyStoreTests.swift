import Cryptography
import KMSModel
import KeyStoreSoftware
import KeyStores
import SecureMemory
import Testing

@Suite struct SoftwareKeyStoreTests {
    private let rootKey: RootKey
    private let store: SoftwareKeyStore
    private let associatedData = Array("context".utf8)

    init() throws {
        rootKey = try RootKey(SystemRandom.secret(RootKey.byteCount))
        store = SoftwareKeyStore(rootKey: rootKey)
    }

    private func makeKey(_ kmsKeyID: String = "key-1") async throws -> BackingKey {
        try await store.generateKey(.fresh(kmsKeyID: kmsKeyID))
    }

    @Test(arguments: [1, 15, 16, 17, 32, 4_095, 4_096])
    func `What was encrypted decrypts to the same bytes`(count: Int) async throws {
        let key = try await makeKey()
        let plaintext = try SystemRandom.bytes(count)
        let message = try await store.encrypt(SecretBytes(plaintext), associatedData: associatedData, with: key)
        #expect(message.nonce.count == 16)
        #expect(message.iv.isEmpty)
        #expect(message.ciphertext.count == count)
        #expect(message.tag.count == 16)
        let opened = try await store.decrypt(message, associatedData: associatedData, with: key)
        #expect(opened.holds(plaintext))
    }

    @Test(arguments: [0, 4_097])
    func `A plaintext of another size is refused`(count: Int) async throws {
        let key = try await makeKey()
        let plaintext = SecretBytes([UInt8](repeating: 1, count: count))
        await #expect(throws: KeyStoreError(.internalFailure, "")) {
            _ = try await store.encrypt(plaintext, associatedData: associatedData, with: key)
        }
    }

    @Test func `The same plaintext never encrypts to the same message`() async throws {
        let key = try await makeKey()
        var messages: Set<SealedMessage> = []
        for _ in 0..<200 {
            let message = try await store.encrypt(SecretBytes([1, 2, 3]), associatedData: [], with: key)
            messages.insert(message)
        }
        #expect(messages.count == 200)
        #expect(Set(messages.map(\.nonce)).count == 200)
    }

    @Test func `Any changed bit of a message is refused`() async throws {
        let key = try await makeKey()
        let message = try await store.encrypt(
            SecretBytes(Array("secret".utf8)), associatedData: associatedData, with: key)
        for field in [\SealedMessage.nonce, \.ciphertext, \.tag] {
            for bit in 0..<message[keyPath: field].count * 8 {
                var changed = message
                changed[keyPath: field][bit / 8] ^= 1 << UInt8(bit % 8)
                await #expect(throws: KeyStoreError(.invalidCiphertext, "")) {
                    _ = try await store.decrypt(changed, associatedData: associatedData, with: key)
                }
            }
            for count in 0..<message[keyPath: field].count {
                var shortened = message
                shortened[keyPath: field].removeLast(message[keyPath: field].count - count)
                await #expect(throws: KeyStoreError(.invalidCiphertext, "")) {
                    _ = try await store.decrypt(shortened, associatedData: associatedData, with: key)
                }
            }
        }
        var withIV = message
        withIV.iv = [UInt8](repeating: 0, count: 12)
        await #expect(throws: KeyStoreError(.invalidCiphertext, "")) {
            _ = try await store.decrypt(withIV, associatedData: associatedData, with: key)
        }
    }

    @Test func `Other associated data or another key is refused`() async throws {
        let (key, other) = (try await makeKey(), try await makeKey())
        let message = try await store.encrypt(SecretBytes([1]), associatedData: associatedData, with: key)
        for wrong in [[], Array("contexT".utf8), associatedData + [0]] {
            await #expect(throws: KeyStoreError(.invalidCiphertext, "")) {
                _ = try await store.decrypt(message, associatedData: wrong, with: key)
            }
        }
        await #expect(throws: KeyStoreError(.invalidCiphertext, "")) {
            _ = try await store.decrypt(message, associatedData: associatedData, with: other)
        }
    }

    @Test func `A reference serves no other backing key and no other KMS key, in memory or not`() async throws {
        let (key, other) = (try await makeKey("key-1"), try await makeKey("key-2"))
        _ = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
        _ = try await store.encrypt(SecretBytes([1]), associatedData: [], with: other)
        let cold = SoftwareKeyStore(rootKey: rootKey)
        let forged = [
            BackingKey(id: key.id, keySpec: key.keySpec, kmsKeyID: "key-2", reference: key.reference),
            BackingKey(id: other.id, keySpec: key.keySpec, kmsKeyID: "key-1", reference: key.reference),
            BackingKey(id: key.id, keySpec: key.keySpec, kmsKeyID: "key-1", reference: other.reference),
        ]
        for store in [store, cold] {
            for key in forged {
                await #expect(throws: KeyStoreError(.internalFailure, "")) {
                    _ = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
                }
            }
        }
    }

    @Test func `Any changed bit of a reference is refused`() async throws {
        let key = try await makeKey()
        // Two versions, nonce, material, tag.
        #expect(key.reference.count == 66)
        for bit in 0..<key.reference.count * 8 {
            var reference = key.reference
            reference[bit / 8] ^= 1 << UInt8(bit % 8)
            let changed = BackingKey(id: key.id, keySpec: key.keySpec, kmsKeyID: key.kmsKeyID, reference: reference)
            let expected: KeyStoreError.Code = bit < 8 ? .keyNotFound : .internalFailure
            await #expect(throws: KeyStoreError(expected, "")) { _ = try await store.fingerprint(of: changed) }
        }
        for count in 0..<key.reference.count {
            let changed = BackingKey(
                id: key.id, keySpec: key.keySpec, kmsKeyID: key.kmsKeyID, reference: Array(key.reference.prefix(count)))
            await #expect(throws: KeyStoreError.self) { _ = try await store.fingerprint(of: changed) }
        }
    }

    @Test func `A reopened store decrypts, one under another root key does not`() async throws {
        let key = try await makeKey()
        let message = try await store.encrypt(SecretBytes([1, 2]), associatedData: associatedData, with: key)
        let reopened = SoftwareKeyStore(rootKey: rootKey)
        try await #expect(reopened.decrypt(message, associatedData: associatedData, with: key).holds([1, 2]))
        let stranger = SoftwareKeyStore(rootKey: try RootKey(SystemRandom.secret(32)))
        await #expect(throws: KeyStoreError(.internalFailure, "")) {
            _ = try await stranger.decrypt(message, associatedData: associatedData, with: key)
        }
    }

    @Test func `A key of another spec encrypts nothing symmetrically`() async throws {
        let key = try await makeKey()
        let mislabelled = BackingKey(id: key.id, keySpec: .hmac256, kmsKeyID: key.kmsKeyID, reference: key.reference)
        await #expect(throws: KeyStoreError(.unsupportedAlgorithm, "")) {
            _ = try await store.encrypt(SecretBytes([1]), associatedData: [], with: mislabelled)
        }
        await #expect(throws: KeyStoreError(.keyNotFound, "")) {
            _ = try await store.authenticate(SecretBytes([1]), algorithm: .hmacSha256, with: mislabelled)
        }
    }

    @Test func `A fingerprint is a function of the material alone`() async throws {
        let (key, other) = (try await makeKey(), try await makeKey())
        let first = try await store.fingerprint(of: key)
        let again = try await SoftwareKeyStore(rootKey: rootKey).fingerprint(of: key)
        let another = try await store.fingerprint(of: other)
        #expect(first.count == 16)
        #expect(first.holds(again.copy))
        #expect(!first.holds(another.copy))
    }

    @Test func `Unsealed keys stay within the limit and every key still works`() async throws {
        let small = SoftwareKeyStore(rootKey: rootKey, cachedKeyLimit: 3)
        var sealed: [(BackingKey, SealedMessage)] = []
        for number in 0..<10 {
            let key = try await small.generateKey(.fresh(kmsKeyID: "key-\(number)"))
            let message = try await small.encrypt(SecretBytes([UInt8(number)]), associatedData: [], with: key)
            sealed.append((key, message))
            #expect(small.cachedKeyCount <= 3)
        }
        for (number, (key, message)) in sealed.enumerated() {
            try await #expect(small.decrypt(message, associatedData: [], with: key).holds([UInt8(number)]))
        }
        #expect(small.cachedKeyCount == 3)
    }

    @Test func `Destroying a key drops its material, and again without error`() async throws {
        let key = try await makeKey()
        _ = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
        #expect(store.cachedKeyCount == 1)
        try await store.destroyKey(key.id)
        #expect(store.cachedKeyCount == 0)
        try await store.destroyKey(key.id)
    }

    @Test func `Random bytes come in the length asked for`() async throws {
        for count in [1, 32, 1_024] {
            try await #expect(store.randomBytes(count).count == count)
        }
        await #expect(throws: KeyStoreError(.internalFailure, "")) { _ = try await store.randomBytes(-1) }
    }

    @Test func `The store keeps nothing that could be orphaned`() async throws {
        _ = try await makeKey()
        try await #expect(store.inventory() == nil)
        #expect(store.ciphertextSuite == .derivedKeyAES256GCM)
    }

    @Test func `Many tasks on few places in memory get right answers`() async throws {
        let small = SoftwareKeyStore(rootKey: rootKey, cachedKeyLimit: 2)
        var keys: [BackingKey] = []
        for number in 0..<6 { try await keys.append(small.generateKey(.fresh(kmsKeyID: "key-\(number)"))) }
        let right = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask { [keys] in
                    var right = 0
                    for round in 0..<50 {
                        let key = keys[(task + round) % keys.count]
                        let message = try await small.encrypt(
                            SecretBytes([UInt8(round)]), associatedData: [], with: key)
                        let opened = try await small.decrypt(message, associatedData: [], with: key)
                        right += opened.holds([UInt8(round)]) ? 1 : 0
                    }
                    return right
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(right == 400)
    }
}
