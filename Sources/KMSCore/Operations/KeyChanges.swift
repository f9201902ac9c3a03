public import KMSModel

// The operations that change one property of a key and answer nothing.
extension KeyManagementService {
    /// KMS API: EnableKey. Idempotent. A rotation that came due while the key was disabled happens at once (KMS
    /// Developer Guide, "Rotating AWS KMS keys").
    public func enableKey(_ request: EnableKeyRequest, _ context: RequestContext) async throws(KMSError) {
        let key = try await change(request.keyId, for: .enableKey, .enableOrDisable, context) { $0.status = .enabled }
        await rotateIfDue(key)
    }

    /// KMS API: DisableKey. Idempotent.
    public func disableKey(_ request: DisableKeyRequest, _ context: RequestContext) async throws(KMSError) {
        try await change(request.keyId, for: .disableKey, .enableOrDisable, context) { $0.status = .disabled }
    }

    /// KMS API: UpdateKeyDescription.
    public func updateKeyDescription(
        _ request: UpdateKeyDescriptionRequest, _ context: RequestContext
    ) async throws(KMSError) {
        try await change(request.keyId, for: .updateKeyDescription, .change, context) {
            $0.description = request.description
        }
    }

    /// Resolves a key, authorizes, checks its state where nobody else can change it, changes it, and returns it as it
    /// is now.
    @discardableResult
    func change(
        _ identifier: Text, for operation: KMSOperation, _ group: KeyStateRules.Group, facts: RequestFacts = .none,
        _ context: RequestContext,
        _ body: @escaping @Sendable (inout KMSKey) throws(KMSError) -> Void
    ) async throws(KMSError) -> KMSKey {
        try await change(identifier, for: operation, facts: facts, context) {
            before, _, changes throws(KMSError) -> KMSKey in
            try self.checkState(group, of: before)
            var key = before
            try body(&key)
            if key != before { changes.append(.putKey(key)) }
            return key
        }
    }
}
