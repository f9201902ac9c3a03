internal import Cryptography
public import KMSModel
public import KeyStores
public import SecureMemory

/// The standard key store: material in memory, sealed under the root key wherever it is kept.
///
/// The store itself keeps nothing on disk. The reference of a backing key is the sealed material; the KMS core stores
/// it and, by deleting its record, destroys the key. No function touches a file. What takes more than a moment runs on
/// the store's own threads: RSA, the slow curves, ML-DSA, and making keys.
public final class SoftwareKeyStore: KeyStore {
    /// Material that was unsealed lately, so that a key in use is not unsealed for every request.
    private struct Unsealed: Sendable {
        let key: BackingKey
        let material: Material
    }

    private static let messageLabel = Array("strongroom-message-v1".utf8)
    /// The block whose encryption is the fingerprint of an AES key: 12 ASCII characters and FF FF FF FF.
    private static let fingerprintBlock: [UInt8] = Array("strongroom-f".utf8) + [0xff, 0xff, 0xff, 0xff]
    /// The message whose code is the fingerprint of an HMAC key. Longer than any message that a caller can have
    /// authenticated, so that nobody can ask for a fingerprint by the front door.
    private static let fingerprintMessage =
        Array("strongroom-f".utf8) + [UInt8](repeating: 0xff, count: messageByteCounts.upperBound)
    /// KMS API: Encrypt, Plaintext.
    private static let plaintextByteCounts = 1...4096
    /// KMS API: Sign and GenerateMac, Message.
    static let messageByteCounts = 1...4096

    let rootKey: RootKey
    private let unsealed: BoundedCache<BackingKeyID, Unsealed>
    /// For slow work with keys.
    let workers: WorkPool
    /// For making RSA keys, which takes seconds: apart, so that nobody's signature waits for it.
    let makers: WorkPool

    /// - Parameters:
    ///   - cachedKeyLimit: how many backing keys stay unsealed in memory.
    ///   - workerCount: how many threads do slow work with keys at once.
    ///   - queueLimit: how much slow work may wait; more is `overloaded`.
    public init(
        rootKey: RootKey, cachedKeyLimit: Int = 10_000, workerCount: Int = 2, queueLimit: Int = 512
    ) {
        self.rootKey = rootKey
        unsealed = BoundedCache(limit: cachedKeyLimit)
        workers = WorkPool(
            name: "strongroom.keys", width: workerCount, queueLimit: queueLimit, waitLimit: .seconds(5))
        makers = WorkPool(
            name: "strongroom.key-generation", width: 1, queueLimit: min(queueLimit, 32), waitLimit: .seconds(15))
    }

    /// How many backing keys are unsealed in memory at the moment.
    package var cachedKeyCount: Int { unsealed.count }

    public var ciphertextSuite: CiphertextSuite { .derivedKeyAES256GCM }

    public func refusal(of keySpec: KeySpec, usage: KeyUsageType) -> String? {
        SoftwareCapabilities.current.refusal(of: keySpec, usage)
    }

    public func refusal(of algorithm: KeyAlgorithm, keySpec: KeySpec) -> String? {
        SoftwareCapabilities.current.refusal(of: algorithm, keySpec)
    }

    public func generateKey(_ request: KeyGeneration) async throws(KeyStoreError) -> BackingKey {
        if let reason = refusal(of: request.keySpec, usage: request.keyUsage) {
            throw KeyStoreError(.unsupportedAlgorithm, reason)
        }
        let rootKey = rootKey
        let make: @Sendable () -> Result<BackingKey, CryptographyError> = {
            Result { () throws(CryptographyError) in
                let material = try Material.generate(request.keySpec.materialForm)
                return BackingKey(
                    id: request.id, keySpec: request.keySpec, kmsKeyID: request.kmsKeyID,
                    reference: try MaterialReference.seal(
                        material, id: request.id, keySpec: request.keySpec, kmsKeyID: request.kmsKeyID, under: rootKey),
                    publicKey: material.publicKey)
            }
        }
        let made: Result<BackingKey, CryptographyError>
        switch request.keySpec.materialForm {
        case .symmetric, .mac: made = make()
        case .keyPair(let kind):
            made = try await Self.run(on: kind.family == .rsa ? makers : workers, make)
        }
        do {
            return try made.get()
        } catch {
            throw KeyStoreError(.internalFailure, "cannot make key material: \(error)")
        }
    }

    /// Forgets the unsealed material. The sealed material is the caller's to delete: it is nowhere else.
    public func destroyKey(_ id: BackingKeyID) async throws(KeyStoreError) {
        unsealed.remove(id)
    }

    public func discardKey(_ id: BackingKeyID) async throws(KeyStoreError) {
        unsealed.remove(id)
    }

    public func encrypt(
        _ plaintext: SecretBytes, associatedData: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SealedMessage {
        guard Self.plaintextByteCounts ~= plaintext.count else {
            throw KeyStoreError(.internalFailure, "a plaintext has 1...4096 bytes, not \(plaintext.count)")
        }
        let material = try symmetricMaterial(of: key)
        do {
            let message = try Sealing.encrypt(
                plaintext, under: material, label: Self.messageLabel, associatedData: associatedData)
            return SealedMessage(nonce: message.nonce, iv: [], ciphertext: message.ciphertext, tag: message.tag)
        } catch {
            throw KeyStoreError(.internalFailure, "cannot encrypt: \(error)")
        }
    }

    public func decrypt(
        _ message: SealedMessage, associatedData: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes {
        let material = try symmetricMaterial(of: key)
        // This suite derives its IV: a message that carries one was not made here.
        guard message.iv.isEmpty else { throw KeyStoreError(.invalidCiphertext, "the message does not verify") }
        do {
            return try Sealing.decrypt(
                Sealing.Message(nonce: message.nonce, ciphertext: message.ciphertext, tag: message.tag),
                under: material, label: Self.messageLabel, associatedData: associatedData)
        } catch  where error.code == .authenticationFailure {
            throw KeyStoreError(.invalidCiphertext, "the message does not verify")
        } catch {
            throw KeyStoreError(.internalFailure, "cannot decrypt: \(error)")
        }
    }

    public func fingerprint(of key: BackingKey) async throws(KeyStoreError) -> SecretBytes {
        try await with(key) { material throws(CryptographyError) in
            switch material {
            case .symmetric(let key): return try AES256ECB.encryptBlock(Self.fingerprintBlock.span, key: key)
            case .mac(let key, let algorithm):
                let message = Self.fingerprintMessage
                let code = try algorithm.authenticate(message.span, key: key)
                return SecretBytes(copying: code.span)
            case .keyPair(let key):
                let spki = key.publicKey.spki
                return SecretBytes(copying: spki.span)
            }
        }
    }

    public func randomBytes(_ count: Int) async throws(KeyStoreError) -> SecretBytes {
        do {
            return try SystemRandom.secret(count)
        } catch {
            throw KeyStoreError(.internalFailure, "no random bytes: \(error)")
        }
    }

    /// Always nil: what there is stands in the KMS core's own records, and nothing can be orphaned here.
    public func inventory() async throws(KeyStoreError) -> [InventoryEntry]? { nil }

    public var deviceSerialNumber: String? { nil }
}

extension SoftwareKeyStore {
    /// Does `work` with the unsealed material of `key`: at once where it is quick, else on the store's own threads.
    ///
    /// Errors: `unsupportedAlgorithm`, `keyNotFound`, `overloaded`, `internalFailure`; `invalidCiphertext` where `work`
    /// throws `authenticationFailure`.
    func with<Output: Sendable>(
        _ key: BackingKey, _ work: @escaping @Sendable (Material) throws(CryptographyError) -> Output
    ) async throws(KeyStoreError) -> Output {
        let whole: @Sendable () -> Result<Output, KeyStoreError> = {
            Result { () throws(KeyStoreError) in
                let material = try self.material(of: key)
                do throws(CryptographyError) {
                    return try work(material)
                } catch {
                    throw Self.translated(error)
                }
            }
        }
        let result = isQuick(key) ? whole() : try await Self.run(on: workers, whole)
        return try result.get()
    }

    /// Whether work with the key takes so little time that handing it to another thread is not worth it. Opening a key
    /// pair costs more than most work with it (docs/benchmarks.md).
    private func isQuick(_ key: BackingKey) -> Bool {
        switch key.keySpec.materialForm {
        case .symmetric, .mac: true
        case .keyPair(let kind): kind.isQuick && unsealed.value(for: key.id) != nil
        }
    }

    private func symmetricMaterial(of key: BackingKey) throws(KeyStoreError) -> SecretBytes {
        guard key.keySpec == .symmetricDefault, case .symmetric(let material) = try material(of: key) else {
            throw KeyStoreError(.unsupportedAlgorithm, "the key is a \(key.keySpec.rawValue) key, not a symmetric one")
        }
        return material
    }

    private func material(of key: BackingKey) throws(KeyStoreError) -> Material {
        // The whole backing key is compared, not its id alone: a reference that belongs to another KMS key must fail
        // whether or not the material is in memory.
        let generation = unsealed.generation
        if let hit = unsealed.value(for: key.id), hit.key == key { return hit.material }
        let material = try MaterialReference.open(key, under: rootKey)
        unsealed.insert(Unsealed(key: key, material: material), for: key.id, ifStill: generation)
        return material
    }

    static func run<Output: Sendable, Failure: Error>(
        on pool: WorkPool, _ work: @escaping @Sendable () -> Result<Output, Failure>
    ) async throws(KeyStoreError) -> Result<Output, Failure> {
        do {
            return try await pool.run(work)
        } catch {
            throw KeyStoreError(.overloaded, "too much work waits for the key store's threads")
        }
    }

    private static func translated(_ error: CryptographyError) -> KeyStoreError {
        switch error.code {
        case .authenticationFailure: KeyStoreError(.invalidCiphertext, "the message does not verify")
        case .unsupportedAlgorithm: KeyStoreError(.unsupportedAlgorithm, error.reason)
        case .invalidLength, .invalidKey, .failure: KeyStoreError(.internalFailure, "\(error)")
        }
    }
}
