import KMSModel
import KeyStores

// Multi-Region keys: one record per Region, with one id and one primary (KMS Developer Guide, "Multi-Region keys").
extension KMSKey {
    var isPrimary: Bool { primaryRegion == scope.region }
    var isReplica: Bool { multiRegion && !isPrimary }

    /// For condition keys and DescribeKey; nil for single-Region keys.
    var multiRegionKeyType: MultiRegionKeyType? {
        guard multiRegion else { return nil }
        return isPrimary ? .primary : .replica
    }
}

extension Directory {
    /// The key in all its Regions, the primary first; of a single-Region key itself alone.
    func relatedKeys(of key: KMSKey) -> [KMSKey] {
        guard key.multiRegion else { return self.key(key.id, in: key.scope).map { [$0] } ?? [] }
        return scopes.filter { $0.accountID == key.scope.accountID && $0.partition == key.scope.partition }
            .compactMap { self.key(key.id, in: $0) }
            .sorted { left, right in
                left.isPrimary != right.isPrimary ? left.isPrimary : left.scope.region < right.scope.region
            }
    }

    /// Whether another Region's copy of `key` uses the same backing key.
    func isShared(_ id: BackingKeyID, by key: KMSKey, except leaving: [KMSKey]) -> Bool {
        guard key.multiRegion else { return false }
        return relatedKeys(of: key).contains { other in
            other.scope != key.scope && !leaving.contains { $0.scope == other.scope && $0.id == other.id }
                && other.materials.contains { $0.backingKey.id == id && $0.isPresent }
        }
    }
}

extension KeyManagementService {
    /// MultiRegionConfiguration: all replicas, the described one among them.
    func multiRegionConfiguration(of key: KMSKey) -> MultiRegionConfiguration? {
        guard let type = key.multiRegionKeyType, let primaryRegion = key.primaryRegion else { return nil }
        let related = metadata.read { $0.relatedKeys(of: key) }
        let primary = Scope(accountID: key.scope.accountID, region: primaryRegion)
        return MultiRegionConfiguration(
            multiRegionKeyType: type,
            primaryKey: MultiRegionKey(arn: Text(primary.keyARN(key.id)), region: Text(primaryRegion)),
            replicaKeys: related.filter(\.isReplica).map {
                MultiRegionKey(arn: Text($0.arn), region: Text($0.scope.region))
            })
    }

    /// Puts what waits for its rotation into the state that it has among all Regions: PENDING_ROTATION once every one
    /// has imported it, else PENDING_MULTI_REGION_IMPORT_AND_ROTATION. Returns the keys that this changes.
    static func pendingChanges(among related: [KMSKey]) -> [MetadataChange] {
        let isEverywhere = related.allSatisfy { $0.pending.map(\.isPresent) ?? true }
        return related.compactMap { key in
            guard let pending = key.pending, let index = key.materials.firstIndex(of: pending) else { return nil }
            let state: KeyMaterialState = isEverywhere ? .pendingRotation : .pendingMultiRegionImportAndRotation
            guard pending.state != state else { return nil }
            var key = key
            key.materials[index].state = state
            return .putKey(key)
        }
    }
}

extension KeyMaterial {
    /// The same material where it has not been imported yet.
    var awaitingImport: KeyMaterial {
        var generator = SystemRandomNumberGenerator()
        return KeyMaterial(
            // Of no key store: the import gives it one.
            backingKey: BackingKey(
                id: BackingKeyID(randomFrom: &generator), keySpec: backingKey.keySpec, kmsKeyID: backingKey.kmsKeyID,
                reference: [], publicKey: backingKey.publicKey),
            placement: placement, materialID: materialID, creationDate: creationDate, state: state, rotation: rotation,
            importDetails: ImportDetails(state: .pendingImport, description: importDetails?.description, validTo: nil))
    }
}
