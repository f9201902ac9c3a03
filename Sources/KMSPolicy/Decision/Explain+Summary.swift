internal import KMSModel

extension Decision {
    /// One sentence on what decided.
    func summary(
        for query: AuthorizationQuery, _ statements: [StatementFinding], _ grants: [GrantFinding]
    ) -> String {
        switch self {
        case .allowed(let allowance): "allowed \(allowance.reason(for: query))"
        case .denied(let denial): "denied\(denial.reason(for: query, statements, grants))"
        }
    }
}

extension Decision.Allowance {
    fileprivate func reason(for query: AuthorizationQuery) -> String {
        let action = query.action
        let principal = query.principal
        switch self {
        case .resourcePolicy(let statement):
            return "by \(statement.description(for: action))"
        case .grant(let id):
            return "by grant \(id)"
        case .identityPolicy(let identity?, let enabling?):
            let both = "by \(identity.description(for: action)), together with \(enabling.description(for: action))"
            return query.crossesAccounts
                ? "\(both): across accounts, both are needed" : "\(both), which leaves it to the account"
        case .identityPolicy(let identity?, nil):
            return "by \(identity.description(for: action))"
        case .identityPolicy(nil, let enabling?):
            return "by \(enabling.description(for: action)): a root user needs no identity policy"
        case .identityPolicy(nil, nil):
            return "because \(principal.arn) is a root user, who needs no identity policy"
        }
    }
}

extension Decision.Denial {
    fileprivate func reason(
        for query: AuthorizationQuery, _ statements: [StatementFinding], _ grants: [GrantFinding]
    ) -> String {
        let principal = query.principal
        let what = "\(query.action) on \(query.resource)"
        let policy = query.action.resourcePolicyName
        switch self {
        case .explicit(let statement):
            let finding = statements.first { $0.statement == statement }
            let denying = " by \(statement.description(for: query.action))"
            if case .cannotBeEvaluated = finding?.outcome {
                return "\(denying), which cannot be evaluated for this request and therefore denies"
            }
            return denying
        case .noResourcePolicyAllows:
            return ": neither \(policy) nor a grant lets \(principal.arn) do \(what)"
        case .noIdentityPolicyAllows:
            let silence = "no identity policy of \(principal.identityARN) allows \(what)"
            if case .notApplicable = query.resourcePolicy { return ": \(silence)" }
            let byPolicy = statements.contains {
                $0.statement.layer == .resourcePolicy && $0.effect == .allow && $0.takesEffect
            }
            let source = byPolicy ? policy : grants.first { $0.covers }.map { "grant \($0.id)" } ?? policy
            guard !query.crossesAccounts else {
                return ": \(source) would let \(principal.arn), but across accounts that is not enough, and \(silence)"
            }
            return ": \(source) leaves it to account \(principal.accountID), and \(silence)"
        case .noPermissionsBoundaryAllows:
            let boundary = principal.permissionsBoundary.map { " \($0.name)" } ?? ""
            return ": the permissions boundary\(boundary) of \(principal.identityARN) does not allow \(what)"
        case .noSessionPolicyAllows:
            return ": no session policy of \(principal.arn) allows \(what)"
        case .notAcrossAccounts:
            return ": \(query.action) has no effect for callers of other accounts: the resource is in account "
                + "\(query.resourceAccountID), and \(principal.arn) is not"
        case .unreadableResourcePolicy:
            return ": \(policy) could not be read"
        }
    }
}
