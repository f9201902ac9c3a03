import Cryptography
import KMSModel
import KeyStoreSoftware
import KeyStores
import SecureMemory
import Synchronization
import Testing

@Suite struct KeyPairTests {
    private let rootKey: RootKey
    private let store: SoftwareKeyStore
    private static let specs: [(KeySpec, KeyUsageType)] = [
        (.rsa2048, .encryptDecrypt), (.eccNistP256, .signVerify), (.eccNistEdwards25519, .signVerify),
        (.mlDsa65, .signVerify), (.mlKem768, .encapsulateDecapsulate), (.hmac256, .generateVerifyMac),
    ]

    init() throws {
        rootKey = try RootKey(SystemRandom.secret(RootKey.byteCount))
        store = SoftwareKeyStore(rootKey: rootKey)
    }

    @Test(arguments: specs)
    func `A reopened store has the same key, and the fingerprint is the material's`(
        keySpec: KeySpec, keyUsage: KeyUsageType
    ) async throws {
        let key = try await store.generateKey(.fresh(keySpec: keySpec, keyUsage: keyUsage))
        let other = try await store.generateKey(.fresh(keySpec: keySpec, keyUsage: keyUsage))
        let first = try await store.fingerprint(of: key)
        let again = try await SoftwareKeyStore(rootKey: rootKey).fingerprint(of: key)
        let another = try await store.fingerprint(of: other)
        #expect(first.holds(again.copy))
        #expect(!first.holds(another.copy))
        if let publicKey = key.publicKey { #expect(first.holds(publicKey)) }
        let stranger = SoftwareKeyStore(rootKey: try RootKey(SystemRandom.secret(32)))
        await #expect(throws: KeyStoreError(.internalFailure, "")) { _ = try await stranger.fingerprint(of: key) }
    }

    @Test(arguments: specs)
    func `A reference serves no other record, in memory or not`(
        keySpec: KeySpec, keyUsage: KeyUsageType
    ) async throws {
        let key = try await store.generateKey(.fresh(keySpec: keySpec, keyUsage: keyUsage, kmsKeyID: "key-1"))
        let other = try await store.generateKey(.fresh(keySpec: keySpec, keyUsage: keyUsage, kmsKeyID: "key-2"))
        _ = try await store.fingerprint(of: key)
        let forged = [
            BackingKey(
                id: key.id, keySpec: keySpec, kmsKeyID: "key-2", reference: key.reference, publicKey: key.publicKey),
            BackingKey(
                id: other.id, keySpec: keySpec, kmsKeyID: "key-1", reference: key.reference, publicKey: key.publicKey),
            BackingKey(
                id: key.id, keySpec: keySpec, kmsKeyID: "key-1", reference: other.reference,
                publicKey: key.publicKey),
            // The same material under another spec: 32 bytes are an AES key as well.
            BackingKey(
                id: key.id, keySpec: keySpec == .hmac256 ? .hmac224 : .eccNistP384, kmsKeyID: "key-1",
                reference: key.reference, publicKey: key.publicKey),
            BackingKey(
                id: key.id, keySpec: .symmetricDefault, kmsKeyID: "key-1", reference: key.reference),
            BackingKey(
                id: key.id, keySpec: keySpec, kmsKeyID: "key-1", reference: Array(key.reference.dropLast()),
                publicKey: key.publicKey),
        ]
        for store in [store, SoftwareKeyStore(rootKey: rootKey)] {
            for key in forged {
                await #expect(throws: KeyStoreError.self) { _ = try await store.fingerprint(of: key) }
            }
        }
    }

    @Test func `A record with another public key is refused`() async throws {
        let key = try await store.generateKey(.fresh(keySpec: .eccNistP256, keyUsage: .signVerify))
        let other = try await store.generateKey(.fresh(keySpec: .eccNistP256, keyUsage: .signVerify))
        for publicKey in [other.publicKey, nil, []] {
            let changed = BackingKey(
                id: key.id, keySpec: key.keySpec, kmsKeyID: key.kmsKeyID, reference: key.reference,
                publicKey: publicKey)
            await #expect(throws: KeyStoreError(.internalFailure, "")) {
                _ = try await store.sign(.message([1]), algorithm: .ecdsaSha256, with: changed)
            }
        }
    }

    @Test func `Ciphertexts that do not decrypt are refused alike`() async throws {
        let key = try await store.generateKey(.fresh(keySpec: .rsa2048, keyUsage: .encryptDecrypt))
        let publicKey = try PublicKey(spki: key.publicKey ?? [], kind: .rsa2048)
        let good = try publicKey.encrypt(Array("secret".utf8).span, .rsaOAEP(.sha256))
        let otherHash = try publicKey.encrypt(Array("secret".utf8).span, .rsaOAEP(.sha1))
        var reasons: Set<String> = []
        let changes: [[UInt8]] = [
            [], [1], Array(good.dropLast()), good + [0], good.dropLast() + [good[255] ^ 1], otherHash,
            [UInt8](repeating: 0xff, count: 256),
        ]
        for changed in changes {
            let error = await #expect(throws: KeyStoreError.self) {
                _ = try await store.decrypt(changed, algorithm: .rsaesOaepSha256, with: key)
            }
            reasons.insert(error?.description ?? "")
        }
        #expect(reasons == ["invalidCiphertext: the message does not verify"])
        try await #expect(
            store.decrypt(good, algorithm: .rsaesOaepSha256, with: key).holds(Array("secret".utf8)))
    }

    @Test func `Wrong lengths are refused`() async throws {
        let mac = try await store.generateKey(.fresh(keySpec: .hmac256, keyUsage: .generateVerifyMac))
        let signer = try await store.generateKey(.fresh(keySpec: .eccNistP256, keyUsage: .signVerify))
        let receiver = try await store.generateKey(.fresh(keySpec: .mlKem768, keyUsage: .encapsulateDecapsulate))
        for count in [0, 4_097] {
            let bytes = [UInt8](repeating: 1, count: count)
            await #expect(throws: KeyStoreError(.internalFailure, "")) {
                _ = try await store.authenticate(SecretBytes(bytes), algorithm: .hmacSha256, with: mac)
            }
            await #expect(throws: KeyStoreError(.internalFailure, "")) {
                _ = try await store.sign(.message(bytes), algorithm: .ecdsaSha256, with: signer)
            }
        }
        await #expect(throws: KeyStoreError(.internalFailure, "")) {
            _ = try await store.sign(.digest([UInt8](repeating: 1, count: 31)), algorithm: .ecdsaSha256, with: signer)
        }
        for count in [0, 1_087, 1_089] {
            await #expect(throws: KeyStoreError(.invalidCiphertext, "")) {
                _ = try await store.decapsulate([UInt8](repeating: 1, count: count), with: receiver)
            }
        }
        let longest = SecretBytes([UInt8](repeating: 1, count: 4_096))
        try await #expect(store.authenticate(longest, algorithm: .hmacSha256, with: mac).count == 32)
    }

    @Test func `An ML-DSA signature over µ is one over its message`() async throws {
        // µ of an empty context (FIPS 204, Algorithm 2 and 7) is a hash over the public key and the message; here any
        // 64 bytes will do, because what is tested is that they are signed as they are.
        let key = try await store.generateKey(.fresh(keySpec: .mlDsa87, keyUsage: .signVerify))
        let signature = try await store.sign(
            .externalMu([UInt8](repeating: 5, count: 64)), algorithm: .mlDsaShake256, with: key)
        #expect(signature.count == 4_627)
        await #expect(throws: KeyStoreError(.internalFailure, "")) {
            _ = try await store.sign(
                .externalMu([UInt8](repeating: 5, count: 63)), algorithm: .mlDsaShake256, with: key)
        }
        await #expect(throws: KeyStoreError(.unsupportedAlgorithm, "")) {
            _ = try await store.sign(.digest([UInt8](repeating: 5, count: 64)), algorithm: .mlDsaShake256, with: key)
        }
    }

    private final class Outcomes: Sendable {
        private let codes = Mutex<[KeyStoreError.Code?]>([])

        /// Nil for what has been done.
        func add(_ code: KeyStoreError.Code?) { codes.withLock { $0.append(code) } }
        var all: [KeyStoreError.Code?] { codes.withLock { $0 } }
        var isRefused: Bool { all.contains { $0 != nil } }
    }

    @Test(.timeLimit(.minutes(10)))
    func `More slow work than fits is refused as too much, and the store goes on`() async throws {
        // One RSA key is made at a time, and none may wait.
        let small = SoftwareKeyStore(rootKey: rootKey, workerCount: 1, queueLimit: 0)
        let outcomes = Outcomes()
        await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask {
                    // On busy cores no two may meet at the first try.
                    while !outcomes.isRefused {
                        do throws(KeyStoreError) {
                            _ = try await small.generateKey(.fresh(keySpec: .rsa3072, keyUsage: .signVerify))
                            outcomes.add(nil)
                        } catch {
                            outcomes.add(error.code)
                        }
                    }
                }
            }
        }
        #expect(outcomes.all.contains(nil))
        #expect(outcomes.all.contains(.overloaded))
        #expect(outcomes.all.allSatisfy { $0 == nil || $0 == .overloaded })
        let key = try await small.generateKey(.fresh(keySpec: .rsa2048, keyUsage: .signVerify))
        try await #expect(
            small.sign(.message([1]), algorithm: .rsassaPssSha256, with: key).count == 256)
    }

    @Test func `Destroying a key pair drops its unsealed material`() async throws {
        let key = try await store.generateKey(.fresh(keySpec: .eccNistP256, keyUsage: .signVerify))
        _ = try await store.sign(.message([1]), algorithm: .ecdsaSha256, with: key)
        #expect(store.cachedKeyCount == 1)
        try await store.destroyKey(key.id)
        #expect(store.cachedKeyCount == 0)
    }
}
