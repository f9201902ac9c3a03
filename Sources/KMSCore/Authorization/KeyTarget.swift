import KMSModel
import KMSPolicy

/// What an identifier means at one moment: the key, its policy, its aliases and the grants that may matter. One look
/// into the metadata, so that all of it belongs together.
struct KeyTarget: Sendable {
    /// The account and Region that the identifier speaks of.
    let owner: Scope
    /// What error messages and policies call it: the key's ARN; the alias ARN of an alias that does not exist.
    let arn: String
    /// Nil when there is no such key, or no such alias.
    var key: KMSKey?
    var aliases: [String] = []
    /// The name of the alias that the request used.
    var requestAlias: String?
    var isMissingAlias = false
    var policy: AuthorizationQuery.ResourcePolicy = .notApplicable
    var grants: [Grant] = []

    func query(_ action: KeyAction, _ facts: RequestFacts, _ caller: Principal) -> AuthorizationQuery {
        AuthorizationQuery(
            principal: caller, action: action.action, resource: Text(arn), resourceAccountID: owner.accountID,
            resourcePolicy: policy, mayCrossAccounts: action.mayCrossAccounts, grants: grants,
            encryptionContext: facts.encryptionContext, grantOperation: action.grantOperation)
    }
}

extension KeyTarget: Equatable {
    /// Whether a decision on one is a decision on the other. The policy follows from the key.
    static func == (left: Self, right: Self) -> Bool {
        left.owner == right.owner && left.arn == right.arn && left.key == right.key && left.aliases == right.aliases
            && left.requestAlias == right.requestAlias && left.grants == right.grants
    }
}

extension Directory {
    /// Looks an identifier up. `caller` and what follows choose the grants.
    func target(
        _ identifier: KeyIdentifier, in scope: Scope, _ action: KeyAction, _ facts: RequestFacts, caller: Principal
    ) -> KeyTarget {
        switch identifier {
        case .keyID(let id): return target(keyID: id, in: scope, action, facts, caller: caller)
        case .keyARN(let owner, let id): return target(keyID: id, in: owner, action, facts, caller: caller)
        case .aliasName(let name): return target(alias: name, in: scope, action, facts, caller: caller)
        case .aliasARN(let owner, let name): return target(alias: name, in: owner, action, facts, caller: caller)
        }
    }

    private func target(
        alias name: String, in owner: Scope, _ action: KeyAction, _ facts: RequestFacts, caller: Principal
    ) -> KeyTarget {
        guard let alias = alias(name, in: owner) else {
            return KeyTarget(owner: owner, arn: owner.aliasARN(name), isMissingAlias: true)
        }
        var target = target(keyID: alias.targetKeyID, in: owner, action, facts, caller: caller)
        target.requestAlias = name
        return target
    }

    func target(
        keyID: String, in owner: Scope, _ action: KeyAction, _ facts: RequestFacts, caller: Principal
    ) -> KeyTarget {
        guard let key = key(keyID, in: owner) else { return KeyTarget(owner: owner, arn: owner.keyARN(keyID)) }
        var target = KeyTarget(owner: owner, arn: key.arn, key: key)
        target.aliases = aliasNames(of: keyID, in: owner).all
        target.policy = policy(of: key)
        // Which grants let somebody make a grant depends on that grant: CreateGrant looks itself.
        if let operation = action.grantOperation, operation != .createGrant {
            target.grants = grantCandidates(
                on: keyID, in: owner, for: caller, operation: operation, encryptionContext: facts.encryptionContext)
        }
        return target
    }

    /// The policy that is in force for a key.
    func policy(of key: KMSKey) -> AuthorizationQuery.ResourcePolicy {
        let document = key.policy.map(\.document) ?? defaultPolicy(in: key.scope)
        return document.map { .document($0) } ?? .unreadable
    }
}
