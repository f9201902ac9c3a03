internal import Cryptography
public import KMSModel
public import KeyStores
public import SecureMemory

/// The standard key store: material in memory, sealed under the root key wherever it is kept.
///
/// The store itself keeps nothing on disk. The reference of a backing key is the sealed material; the KMS core stores
/// it and, by deleting its record, destroys the key. No function suspends or touches a file.
public final class SoftwareKeyStore: KeyStore {
    /// Material that was unsealed lately, so that a key in use is not unsealed for every request.
    private struct Unsealed: Sendable {
        let key: BackingKey
        let material: SecretBytes
    }

    /// First byte of every reference.
    private static let referenceVersion: UInt8 = 1
    private static let sealingPurpose = "backing-key"
    private static let messageLabel = Array("strongroom-message-v1".utf8)
    /// The block whose encryption is the fingerprint of an AES key: 12 ASCII characters and FF FF FF FF.
    private static let fingerprintBlock: [UInt8] = Array("strongroom-f".utf8) + [0xff, 0xff, 0xff, 0xff]
    /// KMS API: Encrypt, Plaintext.
    private static let plaintextByteCounts = 1...4096

    private let rootKey: RootKey
    private let unsealed: BoundedCache<BackingKeyID, Unsealed>

    /// - Parameter cachedKeyLimit: how many backing keys stay unsealed in memory.
    public init(rootKey: RootKey, cachedKeyLimit: Int = 10_000) {
        self.rootKey = rootKey
        unsealed = BoundedCache(limit: cachedKeyLimit)
    }

    /// How many backing keys are unsealed in memory at the moment.
    package var cachedKeyCount: Int { unsealed.count }

    public var ciphertextSuite: CiphertextSuite { .derivedKeyAES256GCM }

    public func refusal(of keySpec: KeySpec) -> String? {
        keySpec == .symmetricDefault ? nil : "the software key store makes only SYMMETRIC_DEFAULT keys"
    }

    public func generateKey(_ request: KeyGeneration) async throws(KeyStoreError) -> BackingKey {
        if let reason = refusal(of: request.keySpec) { throw KeyStoreError(.unsupportedAlgorithm, reason) }
        do {
            let material = try SystemRandom.secret(AES256GCM.keyByteCount)
            let sealed = try rootKey.seal(
                material, purpose: Self.sealingPurpose,
                associatedData: Self.associatedData(id: request.id, kmsKeyID: request.kmsKeyID))
            return BackingKey(
                id: request.id, keySpec: request.keySpec, kmsKeyID: request.kmsKeyID,
                reference: [Self.referenceVersion] + sealed)
        } catch {
            throw KeyStoreError(.internalFailure, "cannot make key material: \(error)")
        }
    }

    /// Forgets the unsealed material. The sealed material is the caller's to delete: it is nowhere else.
    public func destroyKey(_ id: BackingKeyID) async throws(KeyStoreError) {
        unsealed.remove(id)
    }

    public func encrypt(
        _ plaintext: SecretBytes, associatedData: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SealedMessage {
        guard Self.plaintextByteCounts ~= plaintext.count else {
            throw KeyStoreError(.internalFailure, "a plaintext has 1...4096 bytes, not \(plaintext.count)")
        }
        let material = try material(of: key)
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
        let material = try material(of: key)
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
        let material = try material(of: key)
        do {
            return try AES256ECB.encryptBlock(Self.fingerprintBlock.span, key: material)
        } catch {
            throw KeyStoreError(.internalFailure, "cannot make a fingerprint: \(error)")
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
}

extension SoftwareKeyStore {
    private func material(of key: BackingKey) throws(KeyStoreError) -> SecretBytes {
        // The whole backing key is compared, not its id alone: a reference that belongs to another KMS key must fail
        // whether or not the material is in memory.
        let generation = unsealed.generation
        if let hit = unsealed.value(for: key.id), hit.key == key { return hit.material }
        guard key.keySpec == .symmetricDefault else {
            throw KeyStoreError(.unsupportedAlgorithm, "the key is a \(key.keySpec.rawValue) key, not a symmetric one")
        }
        guard key.reference.first == Self.referenceVersion else {
            throw KeyStoreError(.keyNotFound, "backing key \(key.id) has no reference of a known version")
        }
        let material: SecretBytes
        do {
            material = try rootKey.open(
                Array(key.reference.dropFirst()), purpose: Self.sealingPurpose,
                associatedData: Self.associatedData(id: key.id, kmsKeyID: key.kmsKeyID))
        } catch  where error.code == .authenticationFailure {
            throw KeyStoreError(
                .internalFailure,
                "backing key \(key.id) does not unseal: its record was changed, or the root key is another one")
        } catch {
            throw KeyStoreError(.internalFailure, "backing key \(key.id) does not unseal: \(error)")
        }
        guard material.count == AES256GCM.keyByteCount else {
            throw KeyStoreError(.internalFailure, "backing key \(key.id) has \(material.count) bytes of material")
        }
        unsealed.insert(Unsealed(key: key, material: material), for: key.id, ifStill: generation)
        return material
    }

    /// Version, backing key id (fixed length) and KMS key id (the rest): one reading only.
    private static func associatedData(id: BackingKeyID, kmsKeyID: String) -> [UInt8] {
        [referenceVersion] + id.bytes + Array(kmsKeyID.utf8)
    }
}
