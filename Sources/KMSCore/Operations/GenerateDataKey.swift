import Cryptography
public import KMSModel
import KeyStores
import SecureMemory

extension KeyManagementService {
    /// KMS API: GenerateDataKey.
    public func generateDataKey(
        _ request: GenerateDataKeyRequest, _ context: RequestContext
    ) async throws(KMSError) -> GenerateDataKeyResponse {
        try refuseRecipient(request.recipient)
        let dataKey = try await makeDataKey(
            for: .generateDataKey, keyID: request.keyId, keySpec: request.keySpec,
            numberOfBytes: request.numberOfBytes, encryptionContext: request.encryptionContext,
            grantTokens: request.grantTokens, dryRun: request.dryRun, context)
        return GenerateDataKeyResponse(
            ciphertextBlob: dataKey.blob, keyId: Text(dataKey.key.arn),
            keyMaterialId: dataKey.key.showsMaterialIDs ? try dataKey.key.currentMaterial.materialIDText : nil,
            plaintext: dataKey.plaintext)
    }

    /// KMS API: GenerateDataKeyWithoutPlaintext.
    public func generateDataKeyWithoutPlaintext(
        _ request: GenerateDataKeyWithoutPlaintextRequest, _ context: RequestContext
    ) async throws(KMSError) -> GenerateDataKeyWithoutPlaintextResponse {
        let dataKey = try await makeDataKey(
            for: .generateDataKeyWithoutPlaintext, keyID: request.keyId, keySpec: request.keySpec,
            numberOfBytes: request.numberOfBytes, encryptionContext: request.encryptionContext,
            grantTokens: request.grantTokens, dryRun: request.dryRun, context)
        return GenerateDataKeyWithoutPlaintextResponse(
            ciphertextBlob: dataKey.blob, keyId: Text(dataKey.key.arn),
            keyMaterialId: dataKey.key.showsMaterialIDs ? try dataKey.key.currentMaterial.materialIDText : nil)
    }

    private struct DataKey {
        let key: KMSKey
        let plaintext: SecretBytes
        let blob: [UInt8]
    }

    private func makeDataKey(
        for operation: KMSOperation, keyID: Text, keySpec: DataKeySpec?, numberOfBytes: Int?,
        encryptionContext: [Text: Text]?, grantTokens: [Text]?, dryRun: Bool?, _ context: RequestContext
    ) async throws(KMSError) -> DataKey {
        let length: Int
        switch (keySpec, numberOfBytes) {
        case (.aes128, nil): length = 16
        case (.aes256, nil): length = 32
        case (nil, let bytes?): length = bytes
        case (nil, nil), (_?, _?): throw .dataKeyLength
        }
        let contextBytes = try EncryptionContext.canonicalBytes(encryptionContext)
        let key = try resolve(
            keyID, forms: .keysAndAliases, for: operation, facts: .encryption(encryptionContext),
            grantTokens: grantTokens,
            context)
        try check(key, .encryptDecrypt, .encryption(.symmetricDefault), for: operation)
        try endDryRun(dryRun, beforeUsing: key)
        let plaintext = try Self.randomSecret(length)
        let blob = try await encrypt(plaintext, context: contextBytes, with: key)
        return DataKey(key: key, plaintext: plaintext, blob: blob)
    }

    static func randomSecret(_ count: Int) throws(KMSError) -> SecretBytes {
        do { return try SystemRandom.secret(count) } catch { throw .internalError }
    }
}
