public import KMSModel
import SecureMemory

extension KeyManagementService {
    /// KMS API: Encrypt.
    public func encrypt(
        _ request: EncryptRequest, _ context: RequestContext
    ) async throws(KMSError) -> EncryptResponse {
        // What is authorized by may be long, and is bounded first.
        let encryptionContext = try EncryptionContext.canonicalBytes(request.encryptionContext)
        let key = try resolve(
            request.keyId, forms: .keysAndAliases, for: .encrypt,
            facts: .encryption(request.encryptionContext, request.encryptionAlgorithm),
            grantTokens: request.grantTokens,
            context)
        let algorithm = request.encryptionAlgorithm ?? .symmetricDefault
        try checkEncryption(
            request.plaintext.count, context: encryptionContext, with: key, algorithm, for: .encrypt)
        try endDryRun(request.dryRun, beforeUsing: algorithm == .symmetricDefault ? key : nil)
        let blob = try await encrypt(request.plaintext, algorithm, context: encryptionContext, with: key)
        return EncryptResponse(
            ciphertextBlob: blob, encryptionAlgorithm: algorithm, keyId: Text(key.arn))
    }
}
