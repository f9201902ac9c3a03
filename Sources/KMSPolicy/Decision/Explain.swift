internal import KMSModel

/// Explains what `decide` decides: the same decision, a sentence on it, and one finding for every statement and grant.
///
/// For people: it takes its time. Uses the same tests as `decide`, element by element.
public func explain(_ query: AuthorizationQuery, _ conditions: some ConditionSource) -> Explanation {
    let decision = decide(query, conditions)
    let principal = query.principal
    var statements: [StatementFinding] = []
    if case .document(let document) = query.resourcePolicy {
        statements += document.findings(query, conditions, layer: .resourcePolicy, policyName: nil)
    }
    for policy in principal.identityPolicies {
        statements += policy.document.findings(query, conditions, layer: .identityPolicy, policyName: policy.name)
    }
    if let boundary = principal.permissionsBoundary {
        statements += boundary.document.findings(
            query, conditions, layer: .permissionsBoundary, policyName: boundary.name)
    }
    for policy in principal.sessionPolicies {
        statements += policy.document.findings(query, conditions, layer: .sessionPolicy, policyName: policy.name)
    }
    let grants = query.grants.map { GrantFinding($0, query) }
    return Explanation(
        decision: decision, summary: decision.summary(for: query, statements, grants), statements: statements,
        grants: grants)
}

extension PolicyDocument {
    fileprivate func findings(
        _ query: AuthorizationQuery, _ source: some ConditionSource, layer: PolicyLayer, policyName: Text?
    ) -> [StatementFinding] {
        statements.enumerated().map { index, statement in
            let (outcome, detail) =
                layer == .resourcePolicy
                ? statement.outcomeInResourcePolicy(query, source) : statement.outcome(query, source)
            return StatementFinding(
                statement: StatementReference(layer: layer, policyName: policyName, index: index, sid: statement.sid),
                effect: statement.effect, outcome: outcome, detail: detail)
        }
    }
}

extension Statement {
    fileprivate typealias Outcome = (StatementFinding.Outcome, String)

    fileprivate func outcomeInResourcePolicy(_ query: AuthorizationQuery, _ source: some ConditionSource) -> Outcome {
        let principal = query.principal
        let standing = effect == .allow ? self.standing(of: principal) : nil
        guard effect == .allow ? standing != nil : denies(principal) else {
            return (.doesNotMatch(.principal), principalMismatch(principal))
        }
        var (outcome, detail) = outcome(query, source)
        guard outcome == .matched else { return (outcome, detail) }
        switch (standing, query.crossesAccounts) {
        case (nil, _): break
        case (_, true): detail = "matches; across accounts, an identity policy must allow too"
        case (.delegated, false): detail = "matches the account: its identity policies decide"
        case (.limited, false), (.direct, false): detail = "matches; no identity policy is needed"
        }
        if effect == .deny, case .allBut = principals {
            detail = "matches: NotPrincipal does not exempt \(principal.arn), \(Self.exemptionRule(principal))"
        }
        return (outcome, detail)
    }

    fileprivate func outcome(_ query: AuthorizationQuery, _ source: some ConditionSource) -> Outcome {
        guard speaks(of: query.action) else {
            return switch actions {
            case .none: (.doesNotMatch(.action), "it has no Action, and so no effect")
            case .these: (.doesNotMatch(.action), "Action does not list \(query.action)")
            case .allBut: (.doesNotMatch(.action), "NotAction lists \(query.action)")
            }
        }
        let resource = speaks(ofResource: query.resource, in: source)
        guard resource != .no else {
            return switch resources {
            case .none: (.doesNotMatch(.resource), "it has no Resource, and so no effect")
            case .these, .whatItIsAttachedTo: (.doesNotMatch(.resource), "Resource does not match \(query.resource)")
            case .allBut: (.doesNotMatch(.resource), "NotResource matches \(query.resource)")
            }
        }
        var unknown: String?
        for condition in conditions {
            switch condition.evaluate(in: source) {
            case .yes: break
            case .no: return (.doesNotMatch(.condition), condition.explanation(in: source))
            case .unknown: unknown = unknown ?? condition.explanation(in: source)
            }
        }
        if resource == .unknown {
            let detail = "a policy variable in \(resourceElement) has no value in this request"
            return (.cannotBeEvaluated(.resource), detail)
        }
        if let unknown { return (.cannotBeEvaluated(.condition), unknown) }
        return (.matched, "matches")
    }

    private var resourceElement: String {
        if case .allBut = resources { "NotResource" } else { "Resource" }
    }

    private func principalMismatch(_ principal: Principal) -> String {
        switch principals {
        case .allBut: "NotPrincipal exempts \(principal.arn)"
        case .these, .whoeverItIsAttachedTo: "Principal names neither \(principal.arn) nor what it belongs to"
        }
    }

    /// Says what a NotPrincipal of a Deny must list, and that it does not.
    private static func exemptionRule(_ principal: Principal) -> String {
        if principal.permissionsBoundary != nil { return "who has a permissions boundary" }
        return switch principal.kind {
        case .root: "whose account it would have to list"
        case .user: "of whom it would have to list user and account"
        case .roleSession: "of whom it would have to list session, role and account"
        }
    }
}

extension GrantFinding {
    fileprivate init(_ grant: Grant, _ query: AuthorizationQuery) {
        let standing = grant.standing(of: query.principal)
        let reason = Self.mismatch(grant, standing, query)
        id = grant.id
        grantee = grant.granteePrincipal
        covers = reason == nil
        let isToAccount = standing == .delegated
        detail = reason ?? "covers the request\(isToAccount ? "; to an account, whose identity policies decide" : "")"
    }

    /// Why the grant does not cover the query; nil when it does.
    private static func mismatch(_ grant: Grant, _ standing: Standing?, _ query: AuthorizationQuery) -> String? {
        guard let operation = query.grantOperation else { return "no grant can allow \(query.action)" }
        guard standing != nil else { return "its grantee is neither \(query.principal.arn) nor what it belongs to" }
        guard grant.operations.contains(operation) else {
            return "its operations do not include \(operation.rawValue)"
        }
        guard !grant.covers(operation, encryptionContext: query.encryptionContext) else { return nil }
        let context = query.encryptionContext ?? [:]
        if let equals = grant.encryptionContextEquals, equals != context {
            return "EncryptionContextEquals is not the encryption context of the request"
        }
        return "the encryption context of the request does not have all pairs of EncryptionContextSubset"
    }
}
