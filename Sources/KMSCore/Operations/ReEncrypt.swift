public import KMSModel
import KMSPolicy
import KeyStores
import SecureMemory

extension KeyManagementService {
    /// KMS API: ReEncrypt. Source and destination may be in any two key stores; the plaintext stays in wiped memory.
    public func reEncrypt(
        _ request: ReEncryptRequest, _ context: RequestContext
    ) async throws(KMSError) -> ReEncryptResponse {
        let sourceContext = try EncryptionContext.canonicalBytes(request.sourceEncryptionContext)
        let destinationContext = try EncryptionContext.canonicalBytes(request.destinationEncryptionContext)
        let facts = Facts(of: request, isSameKey: isSameKey(request, context))
        if request.dryRunModifiers?.contains(.ignoreCiphertext) == true {
            let source = try authorizeWithoutCiphertext(
                request.sourceKeyId, member: "SourceKeyId", dryRun: request.dryRun, for: .reEncrypt,
                action: .reEncryptFrom, facts.source, request.grantTokens, context)
            try checkState(.cryptographic, of: source)
            _ = try destination(of: request, facts.destination, context)
            throw .dryRunSucceeded
        }
        guard let bytes = request.ciphertextBlob else { throw .missing("ciphertextBlob") }
        let (ciphertext, source) = try resolveCiphertext(
            bytes, identifier: request.sourceKeyId, algorithm: request.sourceEncryptionAlgorithm,
            for: .reEncrypt, action: .reEncryptFrom, facts: facts.source, grantTokens: request.grantTokens, context)
        let destination = try destination(of: request, facts.destination, context)
        let destinationAlgorithm = request.destinationEncryptionAlgorithm ?? .symmetricDefault
        let plaintext = try await decrypt(ciphertext, context: sourceContext, with: source)
        try checkEncryption(
            plaintext.count, context: destinationContext, with: destination, destinationAlgorithm, for: .reEncrypt)
        try endDryRun(
            request.dryRun, beforeUsing: destinationAlgorithm == .symmetricDefault ? destination : nil)
        let newBlob = try await encrypt(
            plaintext, destinationAlgorithm, context: destinationContext, with: destination)
        return ReEncryptResponse(
            ciphertextBlob: newBlob,
            destinationEncryptionAlgorithm: destinationAlgorithm,
            destinationKeyMaterialId: destination.showsMaterialIDs
                ? try destination.currentMaterial.materialIDText : nil,
            keyId: Text(destination.arn),
            sourceEncryptionAlgorithm: ciphertext.algorithm,
            sourceKeyId: Text(source.arn),
            sourceKeyMaterialId: ciphertext.materialID(shownFor: source))
    }

    /// Two keys, two actions, two sets of facts: each side is authorized with its own encryption context.
    private struct Facts {
        let source: RequestFacts
        let destination: RequestFacts

        init(of request: ReEncryptRequest, isSameKey: Bool) {
            source = RequestFacts.encryption(request.sourceEncryptionContext, request.sourceEncryptionAlgorithm)
                .with(.reEncryptOnSameKey, isSameKey)
            destination =
                RequestFacts
                .encryption(request.destinationEncryptionContext, request.destinationEncryptionAlgorithm)
                .with(.reEncryptOnSameKey, isSameKey)
        }
    }

    private func isSameKey(_ request: ReEncryptRequest, _ context: RequestContext) -> Bool {
        let source =
            request.ciphertextBlob.flatMap { CiphertextBlob($0)?.keyID }
            ?? request.sourceKeyId.flatMap { keyID(meantBy: $0, context) }
        return source != nil && source == keyID(meantBy: request.destinationKeyId, context)
    }

    private func destination(
        of request: ReEncryptRequest, _ facts: RequestFacts, _ context: RequestContext
    ) throws(KMSError) -> KMSKey {
        let key = try resolve(
            request.destinationKeyId, forms: .keysAndAliases, for: .reEncrypt, action: .reEncryptTo, facts: facts,
            grantTokens: request.grantTokens, context)
        try check(
            key, .encryptDecrypt, .encryption(request.destinationEncryptionAlgorithm ?? .symmetricDefault),
            for: .reEncrypt)
        return key
    }
}
