public import KMSModel
import KMSPolicy

extension KeyManagementService {
    /// KMS API: UpdatePrimaryRegion. Primary and replica change places in one commit, so that nobody sees them
    /// Updating.
    public func updatePrimaryRegion(
        _ request: UpdatePrimaryRegionRequest, _ context: RequestContext
    ) async throws(KMSError) {
        let facts = RequestFacts().with(.primaryRegion, request.primaryRegion)
        let primary = try resolve(request.keyId, forms: .keys, for: .updatePrimaryRegion, facts: facts, context)
        let there = context.inRegion(request.primaryRegion.string)
        let action = KeyAction.of(.updatePrimaryRegion)
        let look: @Sendable (borrowing Directory) -> [KeyTarget] = { directory in
            [context, there].map { context in
                directory.target(keyID: primary.id, in: context.scope, action, facts, caller: context.caller)
            }
        }
        try await change(look) { targets throws(KMSError) in
            for (target, context) in zip(targets, [context, there]) {
                try self.authorize(action, target, facts, context)
                guard let key = target.key else { throw .keyNotFound(target.arn) }
                // The state of the primary is told before whether there is a replica.
                try self.checkState(.cryptographic, of: key)
            }
        } _: { directory, changes throws(KMSError) in
            guard let before = look(directory)[0].key, let next = look(directory)[1].key else { throw .internalError }
            guard before.isPrimary else { throw .notPrimary(before.arn) }
            for var key in directory.relatedKeys(of: before) where key.primaryRegion != next.scope.region {
                key.primaryRegion = next.scope.region
                changes.append(.putKey(key))
            }
        }
    }
}
