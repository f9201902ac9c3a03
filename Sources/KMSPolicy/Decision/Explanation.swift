public import KMSModel

/// A decision with what every statement and every grant had to do with it, for people.
public struct Explanation: Sendable, Hashable {
    public let decision: Decision
    /// One sentence: what decided.
    public let summary: String
    /// Every statement that could have had a say, in the order in which they are looked at: resource policy, identity
    /// policies, permissions boundary, session policies.
    public let statements: [StatementFinding]
    /// The grants of the query.
    public let grants: [GrantFinding]
}

/// What one statement has to do with a query.
public struct StatementFinding: Sendable, Hashable {
    /// The elements in the order in which they are looked at.
    public enum Element: String, Sendable, Hashable {
        case principal = "Principal"
        case action = "Action"
        case resource = "Resource"
        case condition = "Condition"
    }

    public enum Outcome: Sendable, Hashable {
        case matched
        /// A policy variable or a condition cannot be evaluated for this request: a Deny denies, an Allow does not
        /// allow.
        case cannotBeEvaluated(Element)
        /// The first element that does not match.
        case doesNotMatch(Element)
    }

    public let statement: StatementReference
    public let effect: Statement.Effect
    public let outcome: Outcome
    /// A sentence on the outcome, without full stop.
    public let detail: String

    /// Whether the statement has an effect on this query.
    public var takesEffect: Bool {
        switch outcome {
        case .matched: true
        case .cannotBeEvaluated: effect == .deny
        case .doesNotMatch: false
        }
    }
}

/// What one grant has to do with a query.
public struct GrantFinding: Sendable, Hashable {
    public let id: String
    public let grantee: Text
    /// Whether grantee, operation and constraints fit.
    public let covers: Bool
    /// A sentence on why it covers or not, without full stop.
    public let detail: String
}

extension StatementReference {
    /// `statement 2 "AllowUse" of the key policy`; counted from one.
    func description(for action: Action) -> String {
        let name = sid.map { "statement \(index + 1) \"\($0)\"" } ?? "statement \(index + 1)"
        return switch (layer, policyName) {
        case (.resourcePolicy, _): "\(name) of \(action.resourcePolicyName)"
        case (.identityPolicy, let policy?): "\(name) of the identity policy \(policy)"
        case (.permissionsBoundary, let policy?): "\(name) of the permissions boundary \(policy)"
        case (.sessionPolicy, let policy?): "\(name) of the session policy \(policy)"
        case (_, nil): "\(name) of a \(layer.rawValue)"
        }
    }
}

extension Action {
    /// What people call the policy of the resource that the action is done to.
    var resourcePolicyName: String {
        folded.string.hasPrefix("sts:") ? "the trust policy" : "the key policy"
    }
}
