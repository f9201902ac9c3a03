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
        for key in due where !Task.isCancelled { await delete(key) }
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
                changes += Self.deletion(of: [key], in: directory, at: now)
                changes += Self.primaryWithoutReplicas(after: key, in: directory, at: now)
                return ServiceEvent(.deletedKey, key, now)
            }
            if let event { emit(event) }
        } catch {
            logger.error("a KMS key could not be deleted", metadata: ["key": "\(due.arn)", "error": "\(error)"])
        }
    }

    /// The records and their aliases go, and a tombstone comes for each material that no key of another Region shares.
    /// An adopted object is left as it is unless its adoption said otherwise.
    static func deletion(
        of keys: [KMSKey], in directory: borrowing Directory, at now: Timestamp
    ) -> [MetadataChange] {
        var changes: [MetadataChange] = []
        for key in keys {
            for name in directory.aliasNames(of: key.id, in: key.scope).all {
                changes.append(.deleteAlias(name: name, scope: key.scope))
            }
            changes.append(.deleteKey(id: key.id, scope: key.scope))
            for parameters in directory.importParameters(for: key) { changes += removal(of: parameters, now) }
            for material in key.materials where material.isPresent {
                let id = material.backingKey.id
                guard !directory.isShared(id, by: key, except: keys) else { continue }
                if material.adoption == .leavesObject { continue }
                changes.append(
                    Intent.destruction(
                        of: id, at: material.placement, keyARN: key.arn, now,
                        adoptedReference: material.adoption == nil ? [] : material.backingKey.reference))
            }
        }
        return changes
    }

    /// A primary that waits for its replicas begins its window when the last one is gone.
    private static func primaryWithoutReplicas(
        after replica: KMSKey, in directory: borrowing Directory, at now: Timestamp
    ) -> [MetadataChange] {
        let related = directory.relatedKeys(of: replica).filter { $0.scope != replica.scope }
        guard var primary = related.first, related.count == 1, primary.isPrimary,
            case .pendingReplicaDeletion(let days) = primary.status
        else { return [] }
        primary.status = .pendingDeletion(deletionDate: now + Double(days) * secondsPerDay)
        return [.putKey(primary)]
    }
}
