public import KMSModel

extension KeyManagementService {
    /// KMS API: ReEncrypt. Source and destination may be in any two key stores; the plaintext stays in wiped memory.
    public func reEncrypt(
        _ request: ReEncryptRequest, _ context: RequestContext
    ) async throws(KMSError) -> ReEncryptResponse {
        if request.dryRunModifiers?.contains(.ignoreCiphertext) == true {
            let source = try authorizeWithoutCiphertext(
                request.sourceKeyId, member: "SourceKeyId", dryRun: request.dryRun, for: .reEncrypt,
                request.grantTokens, context)
            try checkState(.cryptographic, of: source)
            _ = try destination(of: request, context)
            throw .dryRunSucceeded
        }
        guard let ciphertext = request.ciphertextBlob else { throw .missing("ciphertextBlob") }
        let (blob, source) = try resolveCiphertext(
            ciphertext, identifier: request.sourceKeyId, algorithm: request.sourceEncryptionAlgorithm,
            for: .reEncrypt, action: "ReEncryptFrom", grantTokens: request.grantTokens, context)
        let destination = try destination(of: request, context)
        let sourceContext = try EncryptionContext.canonicalBytes(request.sourceEncryptionContext)
        let destinationContext = try EncryptionContext.canonicalBytes(request.destinationEncryptionContext)
        let plaintext = try await decrypt(blob, context: sourceContext, with: source)
        if request.dryRun == true { throw .dryRunSucceeded }
        let newBlob = try await encrypt(plaintext, context: destinationContext, with: destination)
        return ReEncryptResponse(
            ciphertextBlob: newBlob,
            destinationEncryptionAlgorithm: .symmetricDefault,
            destinationKeyMaterialId: destination.showsMaterialIDs
                ? try destination.currentMaterial.materialIDText : nil,
            keyId: Text(destination.arn),
            sourceEncryptionAlgorithm: .symmetricDefault,
            sourceKeyId: Text(source.arn),
            sourceKeyMaterialId: source.showsMaterialIDs ? Text(blob.materialID.lowercaseHexadecimal) : nil)
    }

    private func destination(of request: ReEncryptRequest, _ context: RequestContext) throws(KMSError) -> KMSKey {
        let key = try resolve(
            request.destinationKeyId, forms: .keysAndAliases, for: .reEncrypt, action: "ReEncryptTo",
            grantTokens: request.grantTokens, context)
        try checkSymmetricEncryption(key, algorithm: request.destinationEncryptionAlgorithm, for: .reEncrypt)
        return key
    }
}
