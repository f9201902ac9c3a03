import KMSModel
import KeyStores

// From what a caller wrote to the KMS key that is meant, and whether the caller may. Aliases are resolved before
// authorization, because policies speak of keys (KMS Developer Guide, "Controlling access with aliases").
extension KeyManagementService {
    /// Resolves and authorizes.
    ///
    /// Errors: NotFoundException, InvalidArnException, AccessDeniedException, InvalidGrantTokenException.
    func resolve(
        _ identifier: Text, forms: KeyIdentifierForms, for operation: KMSOperation, action: String? = nil,
        grantTokens: [Text]? = nil, _ context: RequestContext
    ) throws(KMSError) -> KMSKey {
        let action = action ?? operation.rawValue
        let parsed = try KeyIdentifier(identifier, in: context.scope)
        let key = try metadata.read { directory throws(KMSError) in
            try self.find(parsed, written: identifier, forms: forms, action: action, context, in: directory)
        }
        try refuseGrantTokens(grantTokens)
        return key
    }

    private func find(
        _ identifier: KeyIdentifier, written: Text, forms: KeyIdentifierForms, action: String,
        _ context: RequestContext, in directory: borrowing Directory
    ) throws(KMSError) -> KMSKey {
        let owner: Scope
        let keyID: String
        switch identifier {
        case .keyID(let id):
            (owner, keyID) = (context.scope, id)
        case .keyARN(let scope, let id):
            (owner, keyID) = (scope, id)
        case .aliasName(let name):
            guard forms == .keysAndAliases else { throw .invalidKeyID(written.string) }
            (owner, keyID) = (context.scope, try aliasTarget(name, in: context.scope, directory))
        case .aliasARN(let scope, let name):
            guard forms == .keysAndAliases else { throw .invalidKeyID(written.string) }
            try authorizeOwnAccount(scope, resourceARN: scope.aliasARN(name), action: action, context)
            (owner, keyID) = (scope, try aliasTarget(name, in: scope, directory))
        }
        // Whether another account's key exists is not told to those who may not use it.
        try authorizeOwnAccount(owner, resourceARN: owner.keyARN(keyID), action: action, context)
        guard let key = directory.key(keyID, in: owner) else { throw .keyNotFound(owner.keyARN(keyID)) }
        return key
    }

    private func aliasTarget(
        _ name: String, in scope: Scope, _ directory: borrowing Directory
    ) throws(KMSError) -> String {
        guard let alias = directory.alias(name, in: scope) else { throw .aliasNotFound(scope.aliasARN(name)) }
        return alias.targetKeyID
    }

    /// The key's current record, as a writer sees it.
    static func current(_ key: KMSKey, in directory: borrowing Directory) throws(KMSError) -> KMSKey {
        guard let current = directory.key(key.id, in: key.scope) else { throw .keyNotFound(key.arn) }
        return current
    }

    // MARK: Authorization

    // Key policies, identity policies and grants are not evaluated yet. Until they are, a caller may use what belongs
    // to the caller's own account, no more; a Policy other than the default is refused by CreateKey, and any grant
    // token is unknown because no grant can exist. Nothing is stored and then ignored.

    func authorizeOwnAccount(
        _ owner: Scope, resourceARN: @autoclosure () -> String, action: String, _ context: RequestContext
    ) throws(KMSError) {
        guard owner.accountID == context.caller.accountID else {
            throw .accessDenied(context.caller.principalARN, action: action, on: resourceARN())
        }
    }

    func refuseGrantTokens(_ grantTokens: [Text]?) throws(KMSError) {
        if let grantTokens, !grantTokens.isEmpty { throw .unknownGrantToken }
    }

    // MARK: State and usage

    /// KeyState as the API shows it. A key scheduled for deletion shows that even when its custom key store is
    /// disconnected, so that the deletion can be cancelled.
    func state(of key: KMSKey) -> KeyState {
        switch key.status {
        case .pendingDeletion: return .pendingDeletion
        case .enabled, .disabled:
            if let customKeyStoreID = key.customKeyStoreID {
                guard case .connected = registry.connection(customKeyStoreID) else { return .unavailable }
            }
            return key.status == .enabled ? .enabled : .disabled
        }
    }

    func checkState(_ group: KeyStateRules.Group, of key: KMSKey) throws(KMSError) {
        try KeyStateRules.check(group, state(of: key), of: key.arn)
    }

    /// State, usage and algorithm for work with a symmetric encryption key.
    func checkSymmetricEncryption(
        _ key: KMSKey, algorithm: EncryptionAlgorithmSpec?, for operation: KMSOperation
    ) throws(KMSError) {
        try checkState(.cryptographic, of: key)
        guard key.keyUsage == .encryptDecrypt else { throw .invalidUsage(key.arn, key.keyUsage, operation) }
        let algorithm = algorithm ?? .symmetricDefault
        guard algorithm == .symmetricDefault, key.keySpec == .symmetricDefault else {
            throw .incompatibleAlgorithm(algorithm.rawValue, key.keySpec)
        }
    }
}
