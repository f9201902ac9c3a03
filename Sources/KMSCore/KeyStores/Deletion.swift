import KMSModel
import KeyStores
import Logging

// What happens when a deletion date comes. Two short transactions around the key store: the record goes and a tombstone
// comes; the material is destroyed; the tombstone goes (docs/decisions/0004-metadata-in-memory.md).
extension KeyManagementService {
    /// Deletes the keys whose date has come and destroys what waits to be destroyed.
    func deleteDueKeys() async {
        let now = clock.now
        let due = metadata.read { directory in
            directory.keys { key in
                if case .pendingDeletion(let date) = key.status { date <= now } else { false }
            }
        }
        for key in due { await delete(key) }
        await finishIntents()
    }

    private func delete(_ due: KMSKey) async {
        let now = clock.now
        do {
            let event = try await metadata.write { directory, changes throws(KMSError) -> ServiceEvent? in
                // The deletion may have been cancelled meanwhile.
                guard let key = directory.key(due.id, in: due.scope), case .pendingDeletion(let date) = key.status,
                    date <= now
                else { return nil }
                changes += Self.deletion(of: key, in: directory, at: now)
                return ServiceEvent(.deletedKey, key, now)
            }
            if let event { emit(event) }
        } catch {
            logger.error("a KMS key could not be deleted", metadata: ["key": "\(due.arn)", "error": "\(error)"])
        }
    }

    /// The record and its aliases go, and a tombstone comes for each material.
    static func deletion(
        of key: KMSKey, in directory: borrowing Directory, at now: Timestamp
    ) -> [MetadataChange] {
        var changes: [MetadataChange] = directory.aliasNames(of: key.id, in: key.scope).all
            .map { .deleteAlias(name: $0, scope: key.scope) }
        changes.append(.deleteKey(id: key.id, scope: key.scope))
        for parameters in directory.importParameters(for: key) { changes += removal(of: parameters, now) }
        for material in key.materials where material.isPresent {
            changes.append(
                Intent.destruction(of: material.backingKey.id, at: material.placement, keyARN: key.arn, now))
        }
        return changes
    }
}
