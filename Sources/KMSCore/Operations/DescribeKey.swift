public import KMSModel

extension KeyManagementService {
    /// KMS API: DescribeKey. Works in every key state.
    public func describeKey(
        _ request: DescribeKeyRequest, _ context: RequestContext
    ) async throws(KMSError) -> DescribeKeyResponse {
        let key = try resolve(
            request.keyId, forms: .keysAndAliases, for: .describeKey, grantTokens: request.grantTokens, context)
        return DescribeKeyResponse(keyMetadata: keyMetadata(of: key))
    }

    /// KMS API: KeyMetadata, with its rules of which member is present when.
    func keyMetadata(of key: KMSKey) -> KeyMetadata {
        let state = state(of: key)
        var deletionDate: Timestamp?
        if case .pendingDeletion(let date) = key.status { deletionDate = date }
        let algorithms = KeyAlgorithmLists(algorithms(of: key), usage: key.keyUsage)
        return KeyMetadata(
            keyId: Text(key.id),
            awsAccountId: Text(key.scope.accountID),
            arn: Text(key.arn),
            cloudHsmClusterId: key.customKeyStoreID
                .flatMap { id in metadata.read { $0.customKeyStores[id]?.clusterID } }.map { Text($0) },
            creationDate: key.creationDate,
            currentKeyMaterialId: key.showsMaterialIDs ? key.materials.last?.materialIDText : nil,
            customKeyStoreId: key.customKeyStoreID.map { Text($0) },
            customerMasterKeySpec: CustomerMasterKeySpec(rawValue: key.keySpec.rawValue),
            deletionDate: deletionDate,
            description: key.description,
            enabled: state == .enabled,
            encapsulationAlgorithms: algorithms.encapsulation,
            encryptionAlgorithms: algorithms.encryption,
            keyAgreementAlgorithms: algorithms.keyAgreement,
            keyManager: .customer,
            keySpec: key.keySpec,
            keyState: state,
            keyUsage: key.keyUsage,
            macAlgorithms: algorithms.mac,
            multiRegion: key.multiRegion,
            origin: key.origin,
            signingAlgorithms: algorithms.signing)
    }
}
