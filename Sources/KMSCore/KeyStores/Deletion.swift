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
            try await metadata.write { directory, changes throws(KMSError) in
                // The deletion may have been cancelled meanwhile.
                guard let key = directory.key(due.id, in: due.scope), case .pendingDeletion(let date) = key.status,
                    date <= now
                else { return }
                changes += Self.deletion(of: key, in: directory, at: now)
            }
            logger.notice("deleted a KMS key", metadata: ["key": "\(due.arn)"])
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
        for material in key.materials {
            changes.append(
                .putIntent(
                    Intent(
                        kind: .destroy, backingKeyID: material.backingKey.id, placement: material.placement,
                        keyARN: key.arn, creationDate: now)))
        }
        return changes
    }
}
