public import KMSModel
import KeyStores
import Logging

extension KeyManagementService {
    /// KMS API: GenerateRandom. With CustomKeyStoreId the bytes come from the token's generator.
    public func generateRandom(
        _ request: GenerateRandomRequest, _ context: RequestContext
    ) async throws(KMSError) -> GenerateRandomResponse {
        try refuseRecipient(request.recipient)
        guard let count = request.numberOfBytes else { throw .numberOfBytesRequired }
        try authorize(.generateRandom, context)
        guard let customKeyStoreID = request.customKeyStoreId else {
            return GenerateRandomResponse(plaintext: try Self.randomSecret(count))
        }
        let customKeyStore = try customKeyStore(customKeyStoreID, context)
        let keyStore = try registry.keyStore(ofCustom: customKeyStore.id)
        do {
            return GenerateRandomResponse(plaintext: try await keyStore.randomBytes(count))
        } catch {
            logger.warning("key store failed", metadata: ["keyStore": "\(customKeyStore.id)", "error": "\(error)"])
            throw error.kmsError(.random, keyARN: customKeyStore.id, inCustomKeyStore: true)
        }
    }
}
