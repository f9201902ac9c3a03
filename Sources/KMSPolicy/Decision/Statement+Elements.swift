internal import KMSModel

/// How much the way in which a resource policy or a grant names the caller is worth.
///
/// Source: IAM User Guide, "How AWS enforcement code logic evaluates requests to allow or deny access" (resource-based
/// policies) and "Permissions boundaries for IAM entities"; KMS Developer Guide, "Key policies" (the account
/// principal).
enum Standing: Int, Sendable, Comparable {
    /// It names the caller's account, whose identity policies then decide.
    case delegated
    /// It names the caller's role or everyone: what permissions boundary and session policies do not allow stays
    /// denied.
    case limited
    /// It names the user, the session or the root user: only an explicit Deny counts against it.
    case direct

    static func < (left: Standing, right: Standing) -> Bool { left.rawValue < right.rawValue }

    init(_ match: PrincipalMatch) {
        switch match {
        case .everyone, .role: self = .limited
        case .account: self = .delegated
        case .user, .session: self = .direct
        }
    }
}

/// The elements of a statement, one test each. `decide` and `explain` are both made of these, so that they agree.
extension Statement {
    /// What the Principal or NotPrincipal of an Allow gives the caller; nil when it does not speak of him.
    func standing(of principal: Principal) -> Standing? {
        switch principals {
        case .whoeverItIsAttachedTo:
            return nil
        case .these(let patterns):
            var best: Standing?
            for pattern in patterns {
                guard let match = principal.match(pattern) else { continue }
                let standing = Standing(match)
                if best.map({ $0 < standing }) ?? true { best = standing }
            }
            return best
        case .allBut(let patterns):
            // Everyone else, so worth what `*` is worth. Who is listed by any of his names is left out.
            return patterns.contains { principal.match($0) != nil } ? nil : .limited
        }
    }

    /// Whether the Principal or NotPrincipal of a Deny speaks of the caller.
    func denies(_ principal: Principal) -> Bool {
        switch principals {
        case .whoeverItIsAttachedTo: true
        case .these(let patterns): patterns.contains { principal.match($0) != nil }
        case .allBut(let patterns): !Self.isExempt(principal, by: patterns)
        }
    }

    /// Whether the NotPrincipal of a Deny exempts the caller.
    ///
    /// AWS may evaluate a caller's account, then his role, then his session, each as a principal that the statement
    /// denies unless it is listed; so every one of them must be (IAM User Guide, "NotPrincipal", the example with role,
    /// session and account; AWS Security Blog, "How to restrict Amazon S3 bucket access to a specific IAM role"). Who
    /// has a permissions boundary is denied whatever is listed (IAM User Guide, "NotPrincipal", key points).
    private static func isExempt(_ principal: Principal, by patterns: [PrincipalPattern]) -> Bool {
        guard principal.permissionsBoundary == nil else { return false }
        var account = false
        var role = false
        var own = false
        for pattern in patterns {
            switch principal.match(pattern) {
            case nil: break
            case .everyone: return true
            case .account: account = true
            case .role: role = true
            case .user, .session: own = true
            }
        }
        return switch principal.kind {
        case .root: own
        case .user: account && own
        case .roleSession: account && role && own
        }
    }

    /// Whether Action or NotAction speaks of the action.
    func speaks(of action: Action) -> Bool {
        switch actions {
        case .none: false
        case .these(let patterns): patterns.contains { $0.matches(action.folded) }
        case .allBut(let patterns): !patterns.contains { $0.matches(action.folded) }
        }
    }

    /// Whether Resource or NotResource speaks of the resource.
    func speaks(ofResource resource: Text, in source: some ConditionSource) -> Truth {
        switch resources {
        case .none:
            return .no
        case .whatItIsAttachedTo:
            return .yes
        case .these(let patterns):
            return Self.any(of: patterns, match: resource, in: source)
        case .allBut(let patterns):
            return switch Self.any(of: patterns, match: resource, in: source) {
            case .yes: .no
            case .no: .yes
            case .unknown: .unknown
            }
        }
    }

    private static func any(
        of patterns: [TextPattern], match resource: Text, in source: some ConditionSource
    ) -> Truth {
        var result = Truth.no
        for pattern in patterns {
            switch pattern.matches(resource, in: source) {
            case .yes: return .yes
            case .unknown: result = .unknown
            case .no: break
            }
        }
        return result
    }

    /// Whether all conditions hold. One that does not settles it, even if another cannot be told.
    func conditionsHold(in source: some ConditionSource) -> Truth {
        var result = Truth.yes
        for condition in conditions {
            switch condition.evaluate(in: source) {
            case .yes: break
            case .unknown: result = .unknown
            case .no: return .no
            }
        }
        return result
    }

    /// Whether everything but the principal fits the query.
    func applies(to query: AuthorizationQuery, in source: some ConditionSource) -> Truth {
        guard speaks(of: query.action) else { return .no }
        let resource = speaks(ofResource: query.resource, in: source)
        guard resource != .no else { return .no }
        let conditions = conditionsHold(in: source)
        return conditions == .yes ? resource : conditions
    }

    /// Whether a statement that applies so far takes effect: what cannot be told denies, and does not allow.
    func takesEffect(_ truth: Truth) -> Bool {
        switch truth {
        case .yes: true
        case .no: false
        case .unknown: effect == .deny
        }
    }
}
