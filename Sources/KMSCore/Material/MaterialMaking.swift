import KMSModel
import KeyStores

// Intent → object → commit: an interruption at any point leaves either the whole change or an intent by which what was
// left behind is found and destroyed (docs/decisions/0004-metadata-in-memory.md).
extension KeyManagementService {
    /// Lets a key store make something under a new id, and the metadata take it up.
    ///
    /// - Parameters:
    ///   - make: asks the key store.
    ///   - commit: writes the metadata, with `.deleteIntent(id)` among the changes.
    /// When either throws, what was made is destroyed, now or later.
    func withIntent<Made: Sendable, R: Sendable>(
        at placement: Placement, in keyStore: any KeyStore, keyARN: String,
        make: (BackingKeyID) async throws(KMSError) -> Made,
        commit: (BackingKeyID, Made) async throws(KMSError) -> R
    ) async throws(KMSError) -> R {
        var generator = SystemRandomNumberGenerator()
        let id = BackingKeyID(randomFrom: &generator)
        intentsInFlight.insert(id)
        defer { intentsInFlight.remove(id) }
        let intent = Intent(
            kind: .generate, backingKeyID: id, placement: placement, keyARN: keyARN, creationDate: clock.now)
        try await metadata.write { _, changes throws(KMSError) in changes.append(.putIntent(intent)) }
        do {
            let made = try await make(id)
            return try await commit(id, made)
        } catch {
            await abandon(intent, in: keyStore)
            throw error
        }
    }

    /// New material for `key`, made inside its key store.
    func generateMaterial(
        _ id: BackingKeyID, for key: KMSKey, in keyStore: any KeyStore
    ) async throws(KMSError) -> KeyMaterial {
        do {
            let backingKey = try await keyStore.generateKey(key.generation(of: id))
            return KeyMaterial(
                backingKey: backingKey, placement: key.placement,
                materialID: try await materialID(of: backingKey, key, in: keyStore), creationDate: clock.now)
        } catch let error as KeyStoreError {
            throw answer(error, .create, key)
        } catch let error as KMSError {
            throw error
        } catch {
            throw .internalError
        }
    }

    /// KeyMaterialId: the same for the same bytes in the same KMS key, and only then.
    func materialID(
        of backingKey: BackingKey, _ key: KMSKey, in keyStore: any KeyStore
    ) async throws(KMSError) -> [UInt8] {
        do {
            let fingerprint = try await keyStore.fingerprint(of: backingKey)
            return try serverSecret.materialID(keyID: key.id, fingerprint: fingerprint)
        } catch let error as KeyStoreError {
            throw answer(error, .create, key)
        } catch let error as KMSError {
            throw error
        } catch {
            throw .internalError
        }
    }
}

extension KMSKey {
    func generation(of id: BackingKeyID) -> KeyGeneration {
        KeyGeneration(id: id, keySpec: keySpec, keyUsage: keyUsage, kmsKeyID: self.id, label: arn)
    }
}
