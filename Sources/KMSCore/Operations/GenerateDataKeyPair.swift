import Cryptography
public import KMSModel
import KMSPolicy
import KeyStores
import SecureMemory

// Key pairs for use outside (KMS API: GenerateDataKeyPair, GenerateDataKeyPairWithoutPlaintext). They are made in
// software, and the private key is encrypted under the KMS key as PKCS#8 DER (RFC 5208).
extension KeyManagementService {
    /// KMS API: GenerateDataKeyPair.
    public func generateDataKeyPair(
        _ request: GenerateDataKeyPairRequest, _ context: RequestContext
    ) async throws(KMSError) -> GenerateDataKeyPairResponse {
        try refuseRecipient(request.recipient)
        let pair = try await makeDataKeyPair(
            for: .generateDataKeyPair, keyID: request.keyId, request.keyPairSpec, request.encryptionContext,
            request.grantTokens, dryRun: request.dryRun, context)
        return GenerateDataKeyPairResponse(
            keyId: Text(pair.key.arn), keyMaterialId: try pair.materialID, keyPairSpec: request.keyPairSpec,
            privateKeyCiphertextBlob: pair.blob, privateKeyPlaintext: pair.privateKey, publicKey: pair.publicKey)
    }

    /// KMS API: GenerateDataKeyPairWithoutPlaintext.
    public func generateDataKeyPairWithoutPlaintext(
        _ request: GenerateDataKeyPairWithoutPlaintextRequest, _ context: RequestContext
    ) async throws(KMSError) -> GenerateDataKeyPairWithoutPlaintextResponse {
        let pair = try await makeDataKeyPair(
            for: .generateDataKeyPairWithoutPlaintext, keyID: request.keyId, request.keyPairSpec,
            request.encryptionContext, request.grantTokens, dryRun: request.dryRun, context)
        return GenerateDataKeyPairWithoutPlaintextResponse(
            keyId: Text(pair.key.arn), keyMaterialId: try pair.materialID, keyPairSpec: request.keyPairSpec,
            privateKeyCiphertextBlob: pair.blob, publicKey: pair.publicKey)
    }

    private struct DataKeyPair {
        let key: KMSKey
        let privateKey: SecretBytes
        let publicKey: [UInt8]
        let blob: [UInt8]

        var materialID: Text? {
            get throws(KMSError) { key.showsMaterialIDs ? try key.currentMaterial.materialIDText : nil }
        }
    }

    private func makeDataKeyPair(
        for operation: KMSOperation, keyID: Text, _ keyPairSpec: DataKeyPairSpec, _ encryptionContext: [Text: Text]?,
        _ grantTokens: [Text]?, dryRun: Bool?, _ context: RequestContext
    ) async throws(KMSError) -> DataKeyPair {
        let contextBytes = try EncryptionContext.canonicalBytes(encryptionContext)
        let facts = RequestFacts.encryption(encryptionContext).with(.dataKeyPairSpec, Text(keyPairSpec.rawValue))
        let key = try resolve(
            keyID, forms: .keysAndAliases, for: operation, facts: facts, grantTokens: grantTokens, context)
        try check(key, .encryptDecrypt, .encryption(.symmetricDefault), for: operation)
        // KMS API: "You cannot generate data key pairs with KMS keys in a custom key store."
        guard key.customKeyStoreID == nil else {
            throw .unsupportedOperation("\(key.arn) is in a custom key store, which makes no data key pairs.")
        }
        let kind = try Self.kind(of: keyPairSpec, context)
        try endDryRun(dryRun, beforeUsing: key)
        let made = try await generate(kind)
        let blob = try await encrypt(made.privateKey, context: contextBytes, with: key)
        return DataKeyPair(key: key, privateKey: made.privateKey, publicKey: made.publicKey, blob: blob)
    }

    private static func kind(
        of keyPairSpec: DataKeyPairSpec, _ context: RequestContext
    ) throws(KMSError) -> AsymmetricKeyKind {
        guard let keySpec = KeySpec(rawValue: keyPairSpec.rawValue), let kind = keySpec.keyPairKind else {
            throw .internalError
        }
        try KeySpecRules.checkRegion(context.region, of: keySpec, named: "KeyPairSpec")
        if let reason = AlgorithmAvailability.current.refusal(of: .generation, for: kind) {
            throw .unsupportedOperation("KeyPairSpec \(keyPairSpec.rawValue) is not supported here: \(reason)")
        }
        return kind
    }

    private struct Made: Sendable {
        let privateKey: SecretBytes
        let publicKey: [UInt8]
    }

    private func generate(_ kind: AsymmetricKeyKind) async throws(KMSError) -> Made {
        let result: Result<Made, CryptographyError>
        do {
            result = try await keyPairMakers.run {
                Result { () throws(CryptographyError) in
                    let key = try PrivateKey.generate(kind)
                    return Made(privateKey: try key.pkcs8(), publicKey: key.publicKey.spki)
                }
            }
        } catch {
            throw .throttled
        }
        do { return try result.get() } catch { throw .internalError }
    }
}
