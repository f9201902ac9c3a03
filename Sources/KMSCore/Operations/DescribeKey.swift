public import KMSModel

extension KeyManagementService {
    /// KMS API: DescribeKey. Works in every key state. An AWS managed key is made when it is first asked for.
    public func describeKey(
        _ request: DescribeKeyRequest, _ context: RequestContext
    ) async throws(KMSError) -> DescribeKeyResponse {
        try await makeAWSManagedKey(namedBy: request.keyId, context)
        let key = try resolve(
            request.keyId, forms: .keysAndAliases, for: .describeKey, grantTokens: request.grantTokens, context)
        return DescribeKeyResponse(keyMetadata: keyMetadata(of: key))
    }

    /// KMS API: KeyMetadata, with its rules of which member is present when.
    func keyMetadata(of key: KMSKey) -> KeyMetadata {
        let state = state(of: key)
        var deletionDate: Timestamp?
        var pendingWindow: Int?
        switch key.status {
        case .pendingDeletion(let date): deletionDate = date
        case .pendingReplicaDeletion(let days): pendingWindow = days
        case .enabled, .disabled: break
        }
        let expiration = key.withoutExpiredMaterial(at: clock.now).expiration
        let algorithms = KeyAlgorithmLists(algorithms(of: key), usage: key.keyUsage)
        return KeyMetadata(
            keyId: Text(key.id),
            awsAccountId: Text(key.scope.accountID),
            arn: Text(key.arn),
            cloudHsmClusterId: key.customKeyStoreID
                .flatMap { id in metadata.read { $0.customKeyStores[id]?.clusterID } }.map { Text($0) },
            creationDate: key.creationDate,
            currentKeyMaterialId: key.showsMaterialIDs ? key.current?.materialIDText : nil,
            customKeyStoreId: key.customKeyStoreID.map { Text($0) },
            customerMasterKeySpec: CustomerMasterKeySpec(rawValue: key.keySpec.rawValue),
            deletionDate: deletionDate,
            description: key.description,
            enabled: state == .enabled,
            encapsulationAlgorithms: algorithms.encapsulation,
            encryptionAlgorithms: algorithms.encryption,
            expirationModel: expiration?.model,
            keyAgreementAlgorithms: algorithms.keyAgreement,
            keyManager: key.manager,
            keySpec: key.keySpec,
            keyState: state,
            keyUsage: key.keyUsage,
            macAlgorithms: algorithms.mac,
            multiRegion: key.multiRegion,
            multiRegionConfiguration: multiRegionConfiguration(of: key),
            origin: key.origin,
            pendingDeletionWindowInDays: pendingWindow,
            signingAlgorithms: algorithms.signing,
            validTo: expiration?.validTo)
    }
}

extension KMSKey {
    /// ExpirationModel and ValidTo: only while imported material is there. Of several materials the one that expires
    /// first tells, because the key is unusable from then on (KMS API: KeyMetadata, ValidTo).
    fileprivate var expiration: (model: ExpirationModelType, validTo: Timestamp?)? {
        guard let model = current?.expirationModel else { return nil }
        let dates = materials.filter(\.isPermanentlyAssociated).compactMap { $0.importDetails?.validTo }
        guard let first = dates.min() else { return (model, nil) }
        return (.keyMaterialExpires, first)
    }
}
