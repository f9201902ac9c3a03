public import KMSModel

// What there is to know of a key's rotations (KMS API: GetKeyRotationStatus, ListKeyRotations).
extension KeyManagementService {
    /// KMS API: GetKeyRotationStatus. Keys that are never rotated automatically answer false, those in custom key
    /// stores UnsupportedOperationException (KMS Developer Guide, "Key states"). AWS's answer for imported symmetric
    /// keys, which can be rotated on demand, is not known: a plain false serves clients that read back what they wrote.
    public func getKeyRotationStatus(
        _ request: GetKeyRotationStatusRequest, _ context: RequestContext
    ) async throws(KMSError) -> GetKeyRotationStatusResponse {
        let key = try resolve(request.keyId, forms: .keys, for: .getKeyRotationStatus, context)
        guard key.origin != .awsCloudhsm else {
            throw .unsupportedOperation("\(key.arn) is in a custom key store, whose keys are not rotated.")
        }
        // KMS Developer Guide, "Deleting AWS KMS keys": off while the key waits for its deletion, and on again after a
        // cancellation.
        switch key.status {
        case .pendingDeletion, .pendingReplicaDeletion:
            return GetKeyRotationStatusResponse(keyId: Text(key.arn), keyRotationEnabled: false)
        case .enabled, .disabled: break
        }
        return GetKeyRotationStatusResponse(
            keyId: Text(key.arn), keyRotationEnabled: key.automaticRotation != nil,
            nextRotationDate: key.automaticRotation?.nextDate,
            rotationPeriodInDays: key.automaticRotation?.periodInDays)
    }

    /// KMS API: ListKeyRotations. Oldest first.
    public func listKeyRotations(
        _ request: ListKeyRotationsRequest, _ context: RequestContext
    ) async throws(KMSError) -> ListKeyRotationsResponse {
        let markers = marker(of: .listKeyRotations, context)
        let marker = try markers.decode(request.marker)
        let key = try resolve(request.keyId, forms: .keys, for: .listKeyRotations, context)
        guard key.canRotate else {
            throw .unsupportedOperation("\(key.arn) is not a key that can be rotated.")
        }
        var materials = key.withoutExpiredMaterial(at: clock.now).materials[...]
        if request.includeKeyMaterial != .allKeyMaterial { materials = materials.filter { $0.rotation != nil }[...] }
        if let marker {
            // Material that waited for its rotation may be gone: then the listing ends.
            materials = materials.drop { $0.materialID.lowercaseHexadecimal != marker }.dropFirst()
        }
        let page = Page(materials, limit: request.limit, default: 100, maximum: 1000)
        return ListKeyRotationsResponse(
            nextMarker: try markers.encode(page.items.last?.materialID.lowercaseHexadecimal, isLast: page.isLast),
            rotations: page.items.map { $0.rotationsListEntry(of: key) },
            truncated: !page.isLast)
    }
}

extension KeyMaterial {
    /// KMS API: RotationsListEntry, with its rules of which member is present when.
    fileprivate func rotationsListEntry(of key: KMSKey) -> RotationsListEntry {
        RotationsListEntry(
            expirationModel: expirationModel,
            importState: importDetails?.state,
            keyId: Text(key.arn),
            keyMaterialDescription: importDetails?.description,
            keyMaterialId: materialIDText,
            keyMaterialState: state,
            rotationDate: rotation?.date,
            rotationType: rotation?.type,
            validTo: importDetails?.validTo)
    }
}
