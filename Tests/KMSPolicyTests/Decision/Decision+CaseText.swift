import KMSModel
import KMSPolicy

extension Decision {
    /// As the case table writes decisions; statements count from one.
    var caseText: String {
        switch self {
        case .allowed(.resourcePolicy(let statement)): "allowed by \(statement.caseText)"
        case .allowed(.identityPolicy(let identity?, enabledBy: let resource?)):
            "allowed by \(identity.caseText) and \(resource.caseText)"
        case .allowed(.identityPolicy(let identity?, enabledBy: nil)): "allowed by \(identity.caseText)"
        case .allowed(.identityPolicy(nil, enabledBy: let resource?)): "allowed as root by \(resource.caseText)"
        case .allowed(.identityPolicy(nil, enabledBy: nil)): "allowed as root"
        case .allowed(.grant(let id)): "allowed by grant \(id)"
        case .denied(.explicit(let statement)): "denied by \(statement.caseText)"
        case .denied(.noResourcePolicyAllows): "denied: no resource policy"
        case .denied(.noIdentityPolicyAllows): "denied: no identity policy"
        case .denied(.noPermissionsBoundaryAllows): "denied: no permissions boundary"
        case .denied(.noSessionPolicyAllows): "denied: no session policy"
        case .denied(.notAcrossAccounts): "denied: not across accounts"
        case .denied(.unreadableResourcePolicy): "denied: unreadable resource policy"
        }
    }

    /// The decision without what depends on the order of statements.
    var kind: String {
        switch self {
        case .allowed: "allowed"
        case .denied(.explicit(let statement)): "denied by \(statement.layer.rawValue)"
        case .denied: caseText
        }
    }
}

extension StatementReference {
    var caseText: String {
        let layer =
            switch layer {
            case .resourcePolicy: "resource policy"
            case .identityPolicy: "identity policy"
            case .permissionsBoundary: "permissions boundary"
            case .sessionPolicy: "session policy"
            }
        return [layer, policyName?.string, String(index + 1)].compactMap(\.self).joined(separator: " ")
    }
}

extension Explanation {
    /// How the findings contradict the decision; nil when they do not.
    var contradiction: String? {
        let effective = statements.filter(\.takesEffect)
        let denying = effective.first { $0.effect == .deny }
        func allows(_ reference: StatementReference?) -> Bool {
            reference.map { wanted in effective.contains { $0.statement == wanted && $0.effect == .allow } } ?? true
        }
        switch decision {
        case .denied(.notAcrossAccounts), .denied(.unreadableResourcePolicy):
            return nil
        case .denied(.explicit(let statement)):
            return denying?.statement == statement ? nil : "\(statement) is not the first that denies"
        case _ where denying != nil:
            return "a statement denies, but the decision is \(decision)"
        case .allowed(.resourcePolicy(let statement)):
            return allows(statement) ? nil : "\(statement) does not allow"
        case .allowed(.identityPolicy(let identity, enabledBy: let resource)):
            return allows(identity) && allows(resource) ? nil : "the statements do not allow"
        case .allowed(.grant(let id)):
            return grants.contains { $0.id == id && $0.covers } ? nil : "grant \(id) does not cover"
        case .denied(.noResourcePolicyAllows):
            let allowing = effective.first { $0.statement.layer == .resourcePolicy }
            return allowing == nil && !grants.contains(where: \.covers) ? nil : "something gives access"
        case .denied(.noIdentityPolicyAllows):
            let allowing = effective.first { $0.statement.layer == .identityPolicy }
            return allowing == nil ? nil : "an identity policy allows"
        case .denied(.noPermissionsBoundaryAllows):
            let allowing = effective.first { $0.statement.layer == .permissionsBoundary }
            return allowing == nil ? nil : "the permissions boundary allows"
        case .denied(.noSessionPolicyAllows):
            let allowing = effective.first { $0.statement.layer == .sessionPolicy }
            return allowing == nil ? nil : "a session policy allows"
        }
    }
}
