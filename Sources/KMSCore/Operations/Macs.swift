public import KMSModel
import KMSPolicy
import KeyStores
import SecureMemory

// Message authentication codes (KMS API: GenerateMac, VerifyMac).
extension KeyManagementService {
    /// KMS API: GenerateMac.
    public func generateMac(
        _ request: GenerateMacRequest, _ context: RequestContext
    ) async throws(KMSError) -> GenerateMacResponse {
        let key = try resolveForMac(
            request.keyId, request.macAlgorithm, .generateMac, request.grantTokens, context)
        try endDryRun(request.dryRun, beforeUsing: key)
        let code = try await mac(of: request.message, request.macAlgorithm, with: key)
        return GenerateMacResponse(keyId: Text(key.arn), mac: code, macAlgorithm: request.macAlgorithm)
    }

    /// KMS API: VerifyMac. A code that does not verify is an error without message, never `false`.
    public func verifyMac(
        _ request: VerifyMacRequest, _ context: RequestContext
    ) async throws(KMSError) -> VerifyMacResponse {
        let key = try resolveForMac(request.keyId, request.macAlgorithm, .verifyMac, request.grantTokens, context)
        let code = try await mac(of: request.message, request.macAlgorithm, with: key)
        guard constantTimeEquals(code.span, request.mac.span) else { throw .kmsInvalidMac() }
        try endDryRun(request.dryRun)
        return VerifyMacResponse(keyId: Text(key.arn), macAlgorithm: request.macAlgorithm, macValid: true)
    }

    private func resolveForMac(
        _ keyID: Text, _ algorithm: MacAlgorithmSpec, _ operation: KMSOperation, _ grantTokens: [Text]?,
        _ context: RequestContext
    ) throws(KMSError) -> KMSKey {
        let key = try resolve(
            keyID, forms: .keysAndAliases, for: operation,
            facts: RequestFacts().with(.macAlgorithm, Text(algorithm.rawValue)), grantTokens: grantTokens, context)
        try check(key, .generateVerifyMac, .mac(algorithm), for: operation)
        return key
    }

    private func mac(
        of message: SecretBytes, _ algorithm: MacAlgorithmSpec, with key: KMSKey
    ) async throws(KMSError) -> [UInt8] {
        let (material, keyStore) = try material(of: key)
        do {
            return try await keyStore.authenticate(message, algorithm: algorithm, with: material.backingKey)
        } catch {
            throw answer(error, .mac, key)
        }
    }
}
