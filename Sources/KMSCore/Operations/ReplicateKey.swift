public import KMSModel
import KMSPolicy
import KeyStores

extension KeyManagementService {
    /// KMS API: ReplicateKey. The replica is there when the call has answered; its answer says Creating all the same,
    /// as AWS's does. It shares the material of a key whose material was made here, and waits for the import of the
    /// same bytes if that was imported.
    public func replicateKey(
        _ request: ReplicateKeyRequest, _ context: RequestContext
    ) async throws(KMSError) -> ReplicateKeyResponse {
        let tags = request.tags ?? []
        try Self.checkTags(tags)
        let there = context.inRegion(request.replicaRegion.string)
        let facts = RequestFacts(tags: request.tags)
            .with(.replicaRegion, request.replicaRegion)
            .with(.bypassPolicyLockoutSafetyCheck, request.bypassPolicyLockoutSafetyCheck)
        let primary = try resolve(request.keyId, forms: .keys, for: .replicateKey, facts: facts, context)
        try authorizeReplica(of: primary, request, there)
        try checkReplication(of: primary, to: there.scope)

        var replica = primary.replica(
            in: there.scope, description: request.description ?? "", tags: tags, creationDate: clock.now)
        replica.policy = try request.policy.map { text throws(KMSError) in
            try self.checkedPolicy(
                text, for: replica, bypassesLockoutCheck: request.bypassPolicyLockoutSafetyCheck == true, there)
        }
        let (draft, policy) = (replica, replica.policy)
        try await change(request.keyId, for: .replicateKey, facts: facts, context) {
            key, directory, changes throws(KMSError) in
            try self.checkReplication(of: key, to: draft.scope)
            guard directory.key(key.id, in: draft.scope) == nil else { throw .keyExists(draft.arn) }
            try self.checkQuota(of: draft.scope, in: directory)
            // From the key as it is now: it may have been rotated meanwhile.
            var replica = key.replica(
                in: draft.scope, description: draft.description, tags: draft.tags, creationDate: draft.creationDate)
            replica.policy = policy
            changes.append(.putKey(replica))
            // What waits for its rotation now waits for the new replica too.
            changes += Self.pendingChanges(among: directory.relatedKeys(of: key) + [replica])
        }
        var metadata = keyMetadata(of: metadata.read { $0.key(draft.id, in: draft.scope) } ?? draft)
        metadata.keyState = .creating
        metadata.enabled = false
        metadata.currentKeyMaterialId = nil
        return ReplicateKeyResponse(
            replicaKeyMetadata: metadata,
            replicaPolicy: policy?.text ?? DefaultKeyPolicy.text(for: draft.scope), replicaTags: tags)
    }

    /// The replica is a new key in its Region: kms:CreateKey there, by identity policies.
    private func authorizeReplica(
        of key: KMSKey, _ request: ReplicateKeyRequest, _ there: RequestContext
    ) throws(KMSError) {
        let facts = RequestFacts(tags: request.tags)
            .with(.keySpec, Text(key.keySpec.rawValue)).with(.customerMasterKeySpec, Text(key.keySpec.rawValue))
            .with(.keyUsage, Text(key.keyUsage.rawValue)).with(.customerMasterKeyUsage, Text(key.keyUsage.rawValue))
            .with(.keyOrigin, Text(key.origin.rawValue)).with(.multiRegion, true)
            .with(.multiRegionKeyType, Text(MultiRegionKeyType.replica.rawValue))
            .with(.bypassPolicyLockoutSafetyCheck, request.bypassPolicyLockoutSafetyCheck)
        try authorize(.createKey, facts: facts, there)
        guard request.tags?.isEmpty == false else { return }
        try authorize(.of(.tagResource), on: there.scope.keyARN(key.id), facts: facts, there)
    }

    /// The texts of UnsupportedOperationException and of the states are AWS's; those of the Regions are not known.
    private func checkReplication(of key: KMSKey, to scope: Scope) throws(KMSError) {
        guard key.isPrimary else { throw .notPrimary(key.arn) }
        try checkState(.rotate, of: key)
        guard scope.partition == key.scope.partition else {
            throw .validation(
                "A multi-Region key can be replicated within its partition only: \(scope.region) is in "
                    + "\(scope.partition), not \(key.scope.partition).")
        }
        guard scope != key.scope else { throw .keyExists(key.arn) }
    }
}

extension KMSKey {
    /// A new replica: what multi-Region keys share, and nothing of what they do not (KMS Developer Guide, "Shared
    /// properties of multi-Region keys").
    fileprivate func replica(
        in scope: Scope, description: Text, tags: [Tag], creationDate: Timestamp
    ) -> KMSKey {
        KMSKey(
            id: id, scope: scope, creationDate: creationDate, keySpec: keySpec, keyUsage: keyUsage, origin: origin,
            primaryRegion: primaryRegion, customKeyStoreID: nil, description: description, status: .enabled,
            tags: tags, automaticRotation: automaticRotation, placement: placement,
            materials: origin == .external ? materials.map(\.awaitingImport) : materials)
    }
}

extension KMSError {
    /// AWS's text, recorded.
    static func notPrimary(_ keyARN: String) -> KMSError {
        .unsupportedOperation("\(keyARN) is not a multi-region primary key.")
    }
    /// The text is not known from AWS.
    static func keyExists(_ keyARN: String) -> KMSError {
        .init(.alreadyExists, "The key \(keyARN) already exists.")
    }
}
