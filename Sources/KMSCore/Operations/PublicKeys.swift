import Cryptography
public import KMSModel
import KMSPolicy
import KeyStores
import SecureMemory

// Asymmetric keys beside signatures and encryption (KMS API: GetPublicKey, DeriveSharedSecret, Encapsulate,
// Decapsulate).
extension KeyManagementService {
    /// KMS API: GetPublicKey. The key must be enabled, although only public data is read (KMS Developer Guide, key
    /// states).
    public func getPublicKey(
        _ request: GetPublicKeyRequest, _ context: RequestContext
    ) async throws(KMSError) -> GetPublicKeyResponse {
        let key = try resolve(
            request.keyId, forms: .keysAndAliases, for: .getPublicKey, grantTokens: request.grantTokens, context)
        guard key.keySpec.keyPairKind != nil else {
            throw .unsupportedOperation(
                "\(key.arn) has key spec \(key.keySpec.rawValue); only asymmetric KMS keys have a public key.")
        }
        try checkState(.cryptographic, of: key)
        let algorithms = KeyAlgorithmLists(algorithms(of: key), usage: key.keyUsage)
        return GetPublicKeyResponse(
            customerMasterKeySpec: CustomerMasterKeySpec(rawValue: key.keySpec.rawValue),
            encapsulationAlgorithms: algorithms.encapsulation, encryptionAlgorithms: algorithms.encryption,
            keyAgreementAlgorithms: algorithms.keyAgreement, keyId: Text(key.arn), keySpec: key.keySpec,
            keyUsage: key.keyUsage, publicKey: try key.currentMaterial.backingKey.publicKey,
            signingAlgorithms: algorithms.signing)
    }

    /// KMS API: DeriveSharedSecret.
    public func deriveSharedSecret(
        _ request: DeriveSharedSecretRequest, _ context: RequestContext
    ) async throws(KMSError) -> DeriveSharedSecretResponse {
        try refuseRecipient(request.recipient)
        let facts = RequestFacts().with(.keyAgreementAlgorithm, Text(request.keyAgreementAlgorithm.rawValue))
        let key = try resolve(
            request.keyId, forms: .keysAndAliases, for: .deriveSharedSecret, facts: facts,
            grantTokens: request.grantTokens, context)
        try check(key, .keyAgreement, .keyAgreement(request.keyAgreementAlgorithm), for: .deriveSharedSecret)
        // A key that does not parse, is not on the curve or is on another one: ValidationException without message.
        guard let kind = key.keySpec.keyPairKind, (try? PublicKey(spki: request.publicKey, kind: kind)) != nil else {
            throw .validation(nil)
        }
        try endDryRun(request.dryRun, beforeUsing: key)
        let (material, keyStore) = try material(of: key)
        do {
            let secret = try await keyStore.deriveSharedSecret(
                publicKey: request.publicKey, with: material.backingKey)
            return DeriveSharedSecretResponse(
                keyAgreementAlgorithm: request.keyAgreementAlgorithm, keyId: Text(key.arn), keyOrigin: key.origin,
                sharedSecret: secret)
        } catch {
            throw answer(error, .derive, key)
        }
    }

    /// KMS API: Encapsulate.
    public func encapsulate(
        _ request: EncapsulateRequest, _ context: RequestContext
    ) async throws(KMSError) -> EncapsulateResponse {
        let key = try resolve(
            request.keyId, forms: .keysAndAliases, for: .encapsulate, grantTokens: request.grantTokens, context)
        try check(key, .encapsulateDecapsulate, .encapsulation, for: .encapsulate)
        try endDryRun(request.dryRun)
        let made = try await withPublicKey(of: key) { publicKey throws(CryptographyError) -> Encapsulated in
            let (secret, ciphertext) = try publicKey.encapsulate()
            return Encapsulated(secret: secret, ciphertext: ciphertext)
        }
        return EncapsulateResponse(
            encapsulationAlgorithm: request.encapsulationAlgorithm, keyId: Text(key.arn), sharedSecret: made.secret,
            sharedSecretCiphertextBlob: made.ciphertext)
    }

    /// KMS API: Decapsulate.
    public func decapsulate(
        _ request: DecapsulateRequest, _ context: RequestContext
    ) async throws(KMSError) -> DecapsulateResponse {
        let key = try resolve(
            request.keyId, forms: .keysAndAliases, for: .decapsulate, grantTokens: request.grantTokens, context)
        try check(key, .encapsulateDecapsulate, .encapsulation, for: .decapsulate)
        let (material, keyStore) = try material(of: key)
        let secret: SecretBytes
        do {
            secret = try await keyStore.decapsulate(request.sharedSecretCiphertextBlob, with: material.backingKey)
        } catch {
            throw answer(error, .decrypt, key)
        }
        try endDryRun(request.dryRun)
        return DecapsulateResponse(
            encapsulationAlgorithm: request.encapsulationAlgorithm, keyId: Text(key.arn), sharedSecret: secret)
    }
}

private struct Encapsulated: Sendable {
    let secret: SecretBytes
    let ciphertext: [UInt8]
}

/// The algorithms of a key as KeyMetadata and GetPublicKey list them: one list, by usage.
struct KeyAlgorithmLists {
    var encryption: [EncryptionAlgorithmSpec]?
    var signing: [SigningAlgorithmSpec]?
    var mac: [MacAlgorithmSpec]?
    var keyAgreement: [KeyAgreementAlgorithmSpec]?
    var encapsulation: [EncapsulationAlgorithmSpec]?

    init(_ algorithms: [KeyAlgorithm], usage: KeyUsageType) {
        switch usage {
        case .encryptDecrypt:
            encryption = algorithms.compactMap { if case .encryption(let algorithm) = $0 { algorithm } else { nil } }
        case .signVerify:
            signing = algorithms.compactMap { if case .signing(let algorithm) = $0 { algorithm } else { nil } }
        case .generateVerifyMac:
            mac = algorithms.compactMap { if case .mac(let algorithm) = $0 { algorithm } else { nil } }
        case .keyAgreement:
            keyAgreement = algorithms.compactMap { if case .keyAgreement(let it) = $0 { it } else { nil } }
        case .encapsulateDecapsulate:
            encapsulation = algorithms.contains(.encapsulation) ? [.mlKem] : []
        }
    }
}
