public import KMSModel
import KMSPolicy

extension KeyManagementService {
    /// KMS API: Decrypt.
    public func decrypt(
        _ request: DecryptRequest, _ context: RequestContext
    ) async throws(KMSError) -> DecryptResponse {
        try refuseRecipient(request.recipient)
        let encryptionContext = try EncryptionContext.canonicalBytes(request.encryptionContext)
        if request.dryRunModifiers?.contains(.ignoreCiphertext) == true {
            let key = try authorizeWithoutCiphertext(
                request.keyId, member: "KeyId", dryRun: request.dryRun, for: .decrypt,
                .encryption(request.encryptionContext, request.encryptionAlgorithm), request.grantTokens, context)
            try checkState(.cryptographic, of: key)
            throw .dryRunSucceeded
        }
        guard let bytes = request.ciphertextBlob else { throw .missing("ciphertextBlob") }
        let (ciphertext, key) = try resolveCiphertext(
            bytes, identifier: request.keyId, algorithm: request.encryptionAlgorithm, for: .decrypt,
            facts: .encryption(request.encryptionContext, request.encryptionAlgorithm),
            grantTokens: request.grantTokens,
            context)
        let plaintext = try await decrypt(ciphertext, context: encryptionContext, with: key)
        try endDryRun(request.dryRun)
        return DecryptResponse(
            encryptionAlgorithm: ciphertext.algorithm, keyId: Text(key.arn),
            keyMaterialId: ciphertext.materialID(shownFor: key),
            plaintext: plaintext)
    }

    /// Recipient asks for an answer that only an attested environment can read. Attestation documents are not
    /// verified here, and a plaintext is never given instead.
    func refuseRecipient(_ recipient: RecipientInfo?) throws(KMSError) {
        if recipient != nil {
            throw .unsupportedOperation("Recipient is not supported: attestation documents are not verified.")
        }
    }

    /// DryRunModifiers IGNORE_CIPHERTEXT: only the key is looked at, so the request must name it.
    func authorizeWithoutCiphertext(
        _ keyID: Text?, member: String, dryRun: Bool?, for operation: KMSOperation, action: KeyAction? = nil,
        _ facts: RequestFacts, _ grantTokens: [Text]?, _ context: RequestContext
    ) throws(KMSError) -> KMSKey {
        guard dryRun == true else { throw .validation("DryRunModifiers can be used only when DryRun is true.") }
        guard let keyID else { throw .validation("\(member) is required when the ciphertext is ignored.") }
        return try resolve(
            keyID, forms: .keysAndAliases, for: operation, action: action, facts: facts, grantTokens: grantTokens,
            context)
    }
}

extension KMSError {
    static func missing(_ member: String) -> Self {
        .validation(
            "1 validation error detected: Value null at '\(member)' failed to satisfy constraint: "
                + "Member must not be null")
    }
}
