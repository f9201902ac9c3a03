import KMSModel
import KMSPolicy

// A change waits for its turn, and somebody else may take the right to it away meanwhile, and be told so.
extension KeyManagementService {
    /// Authorizes a change, and again when its turn comes if anything is different then: so a change never undoes the
    /// one that forbade it.
    ///
    /// - Parameters:
    ///   - look: what the decision is made on.
    ///   - authorize: throws when the caller may not.
    ///   - body: decides on changes. As in `Metadata.write`, nobody else can change anything meanwhile.
    /// Errors: those of `authorize` and `body`.
    @discardableResult
    func change<R: Sendable>(
        _ look: @escaping @Sendable (borrowing Directory) -> [KeyTarget],
        authorizing authorize: @escaping @Sendable ([KeyTarget]) throws(KMSError) -> Void,
        _ body: @escaping @Sendable (borrowing Directory, inout [MetadataChange]) throws(KMSError) -> R
    ) async throws(KMSError) -> R {
        // Those who may not do not get as far as the queue.
        let before = metadata.read(look)
        try authorize(before)
        return try await metadata.write(
            after: { metadata throws(KMSError) in
                let now = metadata.read(look)
                if now != before { try authorize(now) }
            }, body)
    }

    /// The same for an operation on one KMS key. `body` gets the key as it is.
    @discardableResult
    func change<R: Sendable>(
        _ identifier: Text, for operation: KMSOperation, facts: RequestFacts = .none, _ context: RequestContext,
        _ body: @escaping @Sendable (KMSKey, borrowing Directory, inout [MetadataChange]) throws(KMSError) -> R
    ) async throws(KMSError) -> R {
        let action = KeyAction.of(operation)
        let parsed = try Self.identifier(identifier, .keys, context)
        let look: @Sendable (borrowing Directory) -> [KeyTarget] = { directory in
            [directory.target(parsed, in: context.scope, action, facts, caller: context.caller)]
        }
        return try await change(look) { targets throws(KMSError) in
            for target in targets { try self.authorize(action, target, facts, context) }
            if let target = targets.first, target.key == nil { throw .keyNotFound(target.arn) }
        } _: { directory, changes throws(KMSError) -> R in
            guard let key = look(directory).first?.key else { throw .internalError }
            return try body(key, directory, &changes)
        }
    }
}
