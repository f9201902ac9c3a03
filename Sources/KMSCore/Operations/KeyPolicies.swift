public import KMSModel
import KMSPolicy
import Logging

// Key policies (KMS API: GetKeyPolicy, PutKeyPolicy, ListKeyPolicies). A key has one, named `default`.
extension KeyManagementService {
    static let keyPolicyName: Text = "default"

    /// KMS API: GetKeyPolicy. Works in every key state.
    public func getKeyPolicy(
        _ request: GetKeyPolicyRequest, _ context: RequestContext
    ) async throws(KMSError) -> GetKeyPolicyResponse {
        let key = try resolve(request.keyId, forms: .keys, for: .getKeyPolicy, context)
        try Self.checkPolicyName(request.policyName)
        let text = key.policy.map { PolicyDocument.prettyPrinted($0.text) } ?? DefaultKeyPolicy.text(for: key.scope)
        return GetKeyPolicyResponse(policy: text, policyName: Self.keyPolicyName)
    }

    /// KMS API: PutKeyPolicy. Works in every key state.
    public func putKeyPolicy(_ request: PutKeyPolicyRequest, _ context: RequestContext) async throws(KMSError) {
        let bypassesLockoutCheck = request.bypassPolicyLockoutSafetyCheck
        let facts = RequestFacts().with(.bypassPolicyLockoutSafetyCheck, bypassesLockoutCheck)
        let resolved = try resolve(request.keyId, forms: .keys, for: .putKeyPolicy, facts: facts, context)
        try Self.checkPolicyName(request.policyName)
        let policy = try checkedPolicy(
            request.policy, for: resolved, bypassesLockoutCheck: bypassesLockoutCheck == true, context)
        try await change(request.keyId, for: .putKeyPolicy, facts: facts, context) { key, _, changes throws(KMSError) in
            var key = key
            key.policy = policy
            changes.append(.putKey(key))
        }
    }

    /// KMS API: ListKeyPolicies.
    public func listKeyPolicies(
        _ request: ListKeyPoliciesRequest, _ context: RequestContext
    ) async throws(KMSError) -> ListKeyPoliciesResponse {
        // One page holds them all, so that there is no marker.
        guard request.marker == nil else { throw .unknownMarker }
        _ = try resolve(request.keyId, forms: .keys, for: .listKeyPolicies, context)
        return ListKeyPoliciesResponse(policyNames: [Self.keyPolicyName], truncated: false)
    }

    private static func checkPolicyName(_ name: Text?) throws(KMSError) {
        guard name == nil || name == keyPolicyName else { throw .noSuchPolicy }
    }

    /// A policy that may be put on `key`: not too long, understood to the last element, with principals that exist, and
    /// not one that would lock its author out.
    ///
    /// Errors: LimitExceededException, MalformedPolicyDocumentException.
    func checkedPolicy(
        _ text: Text, for key: KMSKey, bypassesLockoutCheck: Bool, _ context: RequestContext
    ) throws(KMSError) -> KeyPolicy {
        let count = text.utf8.count
        let limit = configuration.quotas.keyPolicyBytes
        guard count <= limit else { throw .policyTooLong(count, maximum: limit) }
        let policy: KeyPolicy
        do { policy = try KeyPolicy(checking: text) } catch {
            throw error.code == .invalidPrincipal ? refusePrincipals(error.description, key) : .malformed(error)
        }
        let strangers = policy.document?.unknownPrincipals(in: principals()) ?? []
        guard strangers.isEmpty else {
            throw refusePrincipals("unknown: \(strangers.map(\.text.string).joined(separator: ", "))", key)
        }
        if !bypassesLockoutCheck { try checkLockout(policy, of: key, context) }
        return policy
    }

    /// AWS's text does not say which principal it is; the log does.
    private func refusePrincipals(_ reason: String, _ key: KMSKey) -> KMSError {
        logger.notice("refused a key policy", metadata: ["key": "\(key.arn)", "principals": "\(reason)"])
        return .invalidPrincipals
    }

    /// Under the new policy the caller must still be allowed PutKeyPolicy, with the identity policies and the
    /// conditions of this very request (KMS Developer Guide, "Changing a key policy").
    private func checkLockout(
        _ policy: KeyPolicy, of key: KMSKey, _ context: RequestContext
    ) throws(KMSError) {
        var target = KeyTarget(owner: key.scope, arn: key.arn, key: key)
        target.aliases = metadata.read { $0.aliasNames(of: key.id, in: key.scope).all }
        target.policy = policy.document.map { .document($0) } ?? .unreadable
        guard decide(.of(.putKeyPolicy), target, .none, context).isAllowed else { throw .lockout }
    }
}

extension KMSError {
    fileprivate static func malformed(_ error: PolicyError) -> Self {
        .init(.malformedPolicyDocument, error.description)
    }
}
