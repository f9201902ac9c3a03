import KMSModel
import KeyStores

// How imported material leaves: by DeleteImportedKeyMaterial, or because it has expired.
extension KeyManagementService {
    /// What belongs to a key for good stays known, because only the same bytes are taken back. What waited for its
    /// rotation is forgotten, by a primary in all Regions; a replica only gives its own copy away (KMS Developer Guide,
    /// "Multi-Region keys with imported key material").
    static func removal(
        of materialID: [UInt8], from key: KMSKey, in directory: borrowing Directory, _ now: Timestamp
    ) -> [MetadataChange] {
        guard let material = key.materials.first(where: { $0.materialID == materialID && $0.importDetails != nil })
        else {
            return []
        }
        if material.isPermanentlyAssociated || key.isReplica {
            var key = key
            var changes = material.isPresent ? [tombstone(of: material, key, now)] : []
            key.loseImportedMaterial(materialID)
            changes.append(.putKey(key))
            // Pending material that one Region lacks cannot be rotated to anywhere.
            changes += pendingChanges(
                among: directory.relatedKeys(of: key).map { $0.scope == key.scope ? key : $0 })
            return changes
        }
        var changes: [MetadataChange] = []
        for var related in directory.relatedKeys(of: key) {
            for copy in related.materials where copy.materialID == materialID && copy.isPresent {
                changes.append(tombstone(of: copy, related, now))
            }
            related.materials.removeAll { $0.materialID == materialID }
            changes.append(.putKey(related))
        }
        return changes
    }

    private static func tombstone(of material: KeyMaterial, _ key: KMSKey, _ now: Timestamp) -> MetadataChange {
        Intent.destruction(of: material.backingKey.id, at: material.placement, keyARN: key.arn, now)
    }
}
