internal import KMSModel

/// Decides whether a principal may do what he asks, from everything that has a say: the resource's own policy, identity
/// policies, permissions boundary, session policies and grants.
///
/// Pure, and the same for every order of statements. In this order:
/// 1. An operation that has no effect for other accounts is refused to callers of other accounts.
/// 2. A resource policy that could not be read denies.
/// 3. A Deny that matches, or that cannot be evaluated, denies, wherever it stands.
/// 4. In the resource's own account it suffices that its policy names the caller, his role or everyone.
/// 5. Where it names the account, and always across accounts, an identity policy must allow too. The root user has the
///    allowance of his identity side without a policy.
/// 6. A grant suffices, also across accounts; one to an account leaves it to that account's identity policies.
///
/// Permissions boundary and session policies must allow too, unless the resource policy (in its own account) or the
/// grant names the user, the session or the root user itself.
///
/// Sources: KMS Developer Guide, "Determining access to AWS KMS keys", "Allowing users in other accounts to use a KMS
/// key", "Grants in AWS KMS"; IAM User Guide, "Policy evaluation logic".
public func decide(_ query: AuthorizationQuery, _ conditions: some ConditionSource) -> Decision {
    let principal = query.principal
    if query.crossesAccounts && !query.mayCrossAccounts { return .denied(.notAcrossAccounts) }

    var layers = Layers()
    switch query.resourcePolicy {
    case .notApplicable:
        break
    case .unreadable:
        return .denied(.unreadableResourcePolicy)
    case .document(let document):
        if let index = layers.resource.read(document, for: query, conditions) {
            return .denied(.explicit(document.reference(to: index, layer: .resourcePolicy, policyName: nil)))
        }
    }
    switch opinion(of: principal.identityPolicies, on: query, conditions) {
    case .denies(let place):
        return .denied(.explicit(principal.identityPolicies.reference(to: place, layer: .identityPolicy)))
    case .allows(let place): layers.identity = place
    case .silent: break
    }
    if let boundary = principal.permissionsBoundary {
        switch boundary.document.opinion(on: query, conditions) {
        case .denies(let index):
            let layer = PolicyLayer.permissionsBoundary
            return .denied(.explicit(boundary.document.reference(to: index, layer: layer, policyName: boundary.name)))
        case .allows: break
        case .silent: layers.boundaryAllows = false
        }
    }
    if !principal.sessionPolicies.isEmpty {
        switch opinion(of: principal.sessionPolicies, on: query, conditions) {
        case .denies(let place):
            return .denied(.explicit(principal.sessionPolicies.reference(to: place, layer: .sessionPolicy)))
        case .allows: break
        case .silent: layers.sessionAllows = false
        }
    }
    return layers.decision(on: query)
}

/// What the layers say, none of which denies explicitly.
private struct Layers {
    var resource = ResourceSide()
    /// The statement of an identity policy that allows.
    var identity: Place?
    var boundaryAllows = true
    var sessionAllows = true

    func decision(on query: AuthorizationQuery) -> Decision {
        let principal = query.principal
        let identityAllows = identity != nil || principal.isRoot
        let limitsAllow = boundaryAllows && sessionAllows
        /// Whether a way in is closed by boundary or session policies alone.
        var onlyLimitsLack = identityAllows
        var isNamed = true

        switch query.resourcePolicy {
        case .document(let document):
            guard let standing = resource.standing else {
                isNamed = false
                onlyLimitsLack = false
                break
            }
            let enabling = document.reference(to: resource.statement, layer: .resourcePolicy, policyName: nil)
            if !query.crossesAccounts {
                if standing == .direct || (standing == .limited && limitsAllow) {
                    return .allowed(.resourcePolicy(enabling))
                }
                onlyLimitsLack = onlyLimitsLack || standing == .limited
            }
            if identityAllows && limitsAllow {
                return .allowed(.identityPolicy(identityReference(principal), enabledBy: enabling))
            }
        case .notApplicable:
            if identityAllows && limitsAllow {
                return .allowed(.identityPolicy(identityReference(principal), enabledBy: nil))
            }
        case .unreadable:
            return .denied(.unreadableResourcePolicy)
        }

        if let operation = query.grantOperation {
            for grant in query.grants {
                guard grant.covers(operation, encryptionContext: query.encryptionContext),
                    let standing = grant.standing(of: principal)
                else { continue }
                isNamed = true
                // A grant to the account leaves it to identity policies.
                guard standing != .delegated || identityAllows else { continue }
                if standing == .direct || limitsAllow { return .allowed(.grant(id: grant.id)) }
                onlyLimitsLack = true
            }
        }

        guard isNamed else { return .denied(.noResourcePolicyAllows) }
        guard onlyLimitsLack else { return .denied(.noIdentityPolicyAllows) }
        return .denied(boundaryAllows ? .noSessionPolicyAllows : .noPermissionsBoundaryAllows)
    }

    /// Names the statement that allows; nil for a root user, who needs none.
    private func identityReference(_ principal: Principal) -> StatementReference? {
        identity.map { principal.identityPolicies.reference(to: $0, layer: .identityPolicy) }
    }
}

extension AuthorizationQuery {
    var crossesAccounts: Bool { principal.accountID != resourceAccountID }
}

extension Principal {
    fileprivate var isRoot: Bool {
        if case .root = kind { true } else { false }
    }
}

/// What the Allow statements of a resource policy give the caller: the best of them, and which one that is.
private struct ResourceSide {
    var standing: Standing?
    var statement = 0

    /// Returns the index of the statement that denies, if one does.
    mutating func read(
        _ document: PolicyDocument, for query: AuthorizationQuery, _ conditions: some ConditionSource
    ) -> Int? {
        for (index, statement) in document.statements.enumerated() {
            switch statement.effect {
            case .deny:
                guard statement.denies(query.principal) else { continue }
                if statement.takesEffect(statement.applies(to: query, in: conditions)) { return index }
            case .allow:
                guard standing != .direct, let offered = statement.standing(of: query.principal) else { continue }
                if let standing, standing >= offered { continue }
                guard statement.takesEffect(statement.applies(to: query, in: conditions)) else { continue }
                standing = offered
                self.statement = index
            }
        }
        return nil
    }
}

/// What policies without principals say of a query; the place is that of the deciding statement.
private enum Opinion<Place> {
    case denies(Place)
    case allows(Place)
    case silent
}

/// A statement in a list of policies.
private struct Place {
    let policy: Int
    let statement: Int
}

extension PolicyDocument {
    /// What a policy says that speaks of whoever it is attached to.
    fileprivate func opinion(on query: AuthorizationQuery, _ conditions: some ConditionSource) -> Opinion<Int> {
        var allowing: Int?
        for (index, statement) in statements.enumerated() {
            if statement.effect == .allow && allowing != nil { continue }
            guard statement.takesEffect(statement.applies(to: query, in: conditions)) else { continue }
            guard statement.effect == .allow else { return .denies(index) }
            allowing = index
        }
        return allowing.map { .allows($0) } ?? .silent
    }

    fileprivate func reference(to index: Int, layer: PolicyLayer, policyName: Text?) -> StatementReference {
        StatementReference(layer: layer, policyName: policyName, index: index, sid: statements[index].sid)
    }
}

private func opinion(
    of policies: [NamedPolicy], on query: AuthorizationQuery, _ conditions: some ConditionSource
) -> Opinion<Place> {
    var allowing: Place?
    for (index, policy) in policies.enumerated() {
        switch policy.document.opinion(on: query, conditions) {
        case .denies(let statement): return .denies(Place(policy: index, statement: statement))
        case .allows(let statement): allowing = allowing ?? Place(policy: index, statement: statement)
        case .silent: break
        }
    }
    return allowing.map { .allows($0) } ?? .silent
}

extension [NamedPolicy] {
    fileprivate func reference(to place: Place, layer: PolicyLayer) -> StatementReference {
        self[place.policy].document.reference(
            to: place.statement, layer: layer, policyName: self[place.policy].name)
    }
}
