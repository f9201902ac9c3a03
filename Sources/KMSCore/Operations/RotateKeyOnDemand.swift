public import KMSModel
import KeyStores
import Logging

extension KeyManagementService {
    /// KMS API, RotateKeyOnDemand: ConflictException when an automatic rotation begins within 20 minutes. Its text is
    /// not known from AWS.
    static let rotationConflictSeconds = 20 * 60.0

    /// KMS API: RotateKeyOnDemand. Done when it answers, where AWS takes a while.
    public func rotateKeyOnDemand(
        _ request: RotateKeyOnDemandRequest, _ context: RequestContext
    ) async throws(KMSError) -> RotateKeyOnDemandResponse {
        let key = try resolve(request.keyId, forms: .keys, for: .rotateKeyOnDemand, context)
        try checkRotation(of: key)
        if key.origin == .external {
            let event = try await change(request.keyId, for: .rotateKeyOnDemand, context) {
                key, directory, changes throws(KMSError) -> ServiceEvent in
                try self.checkRotation(of: key)
                return self.rotate(key, to: try self.availablePending(of: key), .onDemand, in: directory, &changes)
            }
            emit(event)
        } else {
            let keyStore = try registry.keyStore(of: key)
            let event = try await withIntent(at: key.placement, in: keyStore, keyARN: key.arn) { id throws(KMSError) in
                try await self.generateMaterial(id, for: key, in: keyStore)
            } commit: { id, material throws(KMSError) in
                try await self.change(request.keyId, for: .rotateKeyOnDemand, context) {
                    key, directory, changes throws(KMSError) -> ServiceEvent in
                    try self.checkRotation(of: key)
                    changes.append(.deleteIntent(id))
                    return self.rotate(key, to: material, .onDemand, in: directory, &changes)
                }
            }
            emit(event)
        }
        return RotateKeyOnDemandResponse(keyId: Text(key.arn))
    }

    /// The texts of KMSInvalidStateException and LimitExceededException are AWS's, recorded;
    /// UnsupportedOperationException has none there.
    private func checkRotation(of key: KMSKey) throws(KMSError) {
        guard key.canRotate else { throw .unsupportedOperation() }
        if key.isReplica { throw .notPrimary(key.arn) }
        try checkState(.rotate, of: key)
        if let next = key.automaticRotation?.nextDate, next <= clock.now + Self.rotationConflictSeconds {
            throw .conflict("\(key.arn) is about to be rotated automatically. Try again after that.")
        }
        let limit = configuration.quotas.onDemandRotationsPerKey
        guard key.materials.count(where: { $0.rotation?.type == .onDemand }) < limit else {
            throw .limitExceeded(
                "The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be "
                    + "performed for this key: \(key.arn)")
        }
    }

    private func availablePending(of key: KMSKey) throws(KMSError) -> KeyMaterial {
        guard let pending = key.pending, pending.state == .pendingRotation, pending.isUsable(at: clock.now) else {
            throw .kmsInvalidState("No available key material pending rotation for the key: \(key.arn).")
        }
        return pending
    }

    /// Rotates in the records of all Regions of the key, and says what will have happened when the changes are durable.
    ///
    /// - Parameter schedule: the next automatic rotation, if that changes.
    func rotate(
        _ before: KMSKey, to material: KeyMaterial, _ type: RotationType, schedule: AutomaticRotation? = nil,
        in directory: borrowing Directory, _ changes: inout [MetadataChange]
    ) -> ServiceEvent {
        let now = clock.now
        for var key in directory.relatedKeys(of: before) {
            // Imported material has an object of its own in each Region.
            let own = key.materials.first { $0.materialID == material.materialID } ?? material
            key.rotate(to: own, KeyMaterial.Rotation(date: now, type: type))
            if let schedule { key.automaticRotation = schedule }
            changes.append(.putKey(key))
        }
        return ServiceEvent(
            .rotatedKey(
                type, previousMaterialID: before.current?.materialIDText, currentMaterialID: material.materialIDText),
            before, now)
    }
}

extension KMSKey {
    /// KMS Developer Guide, "Rotating AWS KMS keys": symmetric encryption keys of Origin AWS_KMS and EXTERNAL.
    /// Not those that stand for an object that somebody else made: whoever adopted it wants that object to be the key.
    var canRotate: Bool { keySpec == .symmetricDefault && (origin == .awsKms || origin == .external) && !isAdopted }
}
