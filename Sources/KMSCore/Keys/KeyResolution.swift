import KMSModel
import KeyStores

// From what a caller wrote to the KMS key that is meant, and whether the caller may. Aliases are resolved before
// authorization, because policies speak of keys (KMS Developer Guide, "Controlling access with aliases").
extension KeyManagementService {
    /// Resolves and authorizes.
    ///
    /// Errors: NotFoundException, InvalidArnException, AccessDeniedException, InvalidGrantTokenException.
    func resolve(
        _ identifier: Text, forms: KeyIdentifierForms, for operation: KMSOperation, action: KeyAction? = nil,
        facts: RequestFacts = .none, grantTokens: [Text]? = nil, _ context: RequestContext
    ) throws(KMSError) -> KMSKey {
        let action = action ?? KeyAction.of(operation)
        let parsed = try Self.identifier(identifier, forms, context)
        let target = metadata.read {
            $0.target(parsed, in: context.scope, action, facts, caller: context.caller)
        }
        try check(grantTokens: grantTokens, context)
        try authorize(action, target, facts, context)
        guard let key = target.key else {
            throw target.isMissingAlias ? .aliasNotFound(target.arn) : .keyNotFound(target.arn)
        }
        return key
    }

    static func identifier(
        _ text: Text, _ forms: KeyIdentifierForms, _ context: RequestContext
    ) throws(KMSError) -> KeyIdentifier {
        let identifier = try KeyIdentifier(text, in: context.scope)
        switch identifier {
        case .aliasName, .aliasARN:
            guard forms == .keysAndAliases else { throw .invalidKeyID(text.string) }
        case .keyID, .keyARN: break
        }
        return identifier
    }

    /// The id of the key that an identifier means at this moment, for conditions that compare two keys. Tells the
    /// caller nothing.
    func keyID(meantBy identifier: Text, _ context: RequestContext) -> String? {
        guard let parsed = try? KeyIdentifier(identifier, in: context.scope) else { return nil }
        switch parsed {
        case .keyID(let id), .keyARN(_, let id): return id
        case .aliasName(let name): return metadata.read { $0.alias(name, in: context.scope)?.targetKeyID }
        case .aliasARN(let owner, let name): return metadata.read { $0.alias(name, in: owner)?.targetKeyID }
        }
    }

    // MARK: State and usage

    /// KeyState as the API shows it. A key scheduled for deletion shows that even when its custom key store is
    /// disconnected, so that the deletion can be cancelled.
    func state(of key: KMSKey) -> KeyState {
        switch key.status {
        case .pendingDeletion: return .pendingDeletion
        case .pendingReplicaDeletion: return .pendingReplicaDeletion
        case .enabled, .disabled:
            if let customKeyStoreID = key.customKeyStoreID {
                guard case .connected = registry.connection(customKeyStoreID) else { return .unavailable }
            }
            if key.isMissingMaterial(at: clock.now) { return .pendingImport }
            return key.status == .enabled ? .enabled : .disabled
        }
    }

    func checkState(_ group: KeyStateRules.Group, of key: KMSKey) throws(KMSError) {
        try KeyStateRules.check(group, state(of: key), of: key.arn)
    }
}
