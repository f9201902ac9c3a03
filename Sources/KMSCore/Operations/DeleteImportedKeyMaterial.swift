public import KMSModel

extension KeyManagementService {
    /// KMS API: DeleteImportedKeyMaterial. The key is PendingImport from the answer on; deleting what is not there
    /// succeeds without effect.
    public func deleteImportedKeyMaterial(
        _ request: DeleteImportedKeyMaterialRequest, _ context: RequestContext
    ) async throws(KMSError) -> DeleteImportedKeyMaterialResponse {
        let wanted = request.keyMaterialId?.string.lowercased()
        let now = clock.now
        let (key, materialID) = try await change(request.keyId, for: .deleteImportedKeyMaterial, context) {
            before, directory, changes throws(KMSError) -> (KMSKey, [UInt8]?) in
            try before.requireOrigin(.external)
            try self.checkState(.deleteImportedMaterial, of: before)
            guard let material = try Self.material(wanted, of: before) else { return (before, nil) }
            if material.isPresent || !material.isPermanentlyAssociated {
                changes += Self.removal(of: material.materialID, from: before, in: directory, now)
            }
            return (before, before.keySpec == .symmetricDefault ? material.materialID : nil)
        }
        await finishIntents(of: key)
        return DeleteImportedKeyMaterialResponse(
            keyId: Text(key.arn), keyMaterialId: materialID.map { Text($0.lowercaseHexadecimal) })
    }

    /// The material that a request means: the current one unless it names another. Nil before the first import.
    private static func material(_ wanted: String?, of key: KMSKey) throws(KMSError) -> KeyMaterial? {
        guard let wanted else { return key.current }
        guard key.keySpec == .symmetricDefault else {
            throw .validation(
                "KeyMaterialId is valid only for symmetric encryption KMS keys; \(key.arn) is \(key.keySpec.rawValue).")
        }
        guard let material = key.materials.first(where: { $0.materialID.lowercaseHexadecimal == wanted }) else {
            throw .notFound("Key material \(wanted) is not associated with \(key.arn).")
        }
        return material
    }
}
