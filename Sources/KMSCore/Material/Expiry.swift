import KMSModel
import KeyStores
import Logging

// What happens when ValidTo comes, and when import parameters grow old. Requests are refused from that moment on by the
// clock alone; here the material goes.
extension KeyManagementService {
    /// Destroys what has expired, also on a token, and also when the server was down at that moment. What cannot be
    /// destroyed now, because its token is away, is by a tombstone.
    func expireDueMaterial() async {
        let now = clock.now
        let due = metadata.read { directory in
            directory.keys { key in
                key.materials.contains { $0.isPresent && !$0.isUsable(at: now) }
            }
        }
        for key in due where !Task.isCancelled { await expireMaterial(of: key, now) }
        await removeExpiredImportParameters(now)
        await finishIntents()
    }

    /// Destroys what has expired of a key.
    func expireMaterial(of due: KMSKey, _ now: Timestamp) async {
        guard due.materials.contains(where: { $0.isPresent && !$0.isUsable(at: now) }) else { return }
        do {
            // One at a time: each changes the record.
            while let material = try await expireFirstMaterial(of: due, now) {
                emit(ServiceEvent(.deletedExpiredKeyMaterial(material.materialIDText), due, now))
            }
        } catch {
            logger.error(
                "expired key material could not be deleted", metadata: ["key": "\(due.arn)", "error": "\(error)"])
        }
    }

    private func expireFirstMaterial(of due: KMSKey, _ now: Timestamp) async throws(KMSError) -> KeyMaterial? {
        try await metadata.write { directory, changes throws(KMSError) -> KeyMaterial? in
            // Material may have been imported again meanwhile, with another date.
            guard let key = directory.key(due.id, in: due.scope),
                let expired = key.materials.first(where: { $0.isPresent && !$0.isUsable(at: now) })
            else { return nil }
            changes += Self.removal(of: expired.materialID, from: key, in: directory, now)
            return expired
        }
    }

    private func removeExpiredImportParameters(_ now: Timestamp) async {
        let isDue = metadata.read { $0.importParameters.values.contains { $0.expirationDate <= now } }
        guard isDue else { return }
        do {
            try await metadata.write { directory, changes throws(KMSError) in
                for parameters in directory.importParameters.values where parameters.expirationDate <= now {
                    changes += Self.removal(of: parameters, now)
                }
            }
        } catch {
            logger.error("expired import parameters could not be deleted", metadata: ["error": "\(error)"])
        }
    }
}
