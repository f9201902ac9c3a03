public import KMSModel

/// The name of an action, such as `kms:Encrypt`.
public struct Action: Sendable, Hashable, CustomStringConvertible {
    /// As AWS writes it.
    public let name: Text
    /// ASCII lower case, which patterns are compared with.
    package let folded: Text

    /// - Parameter name: with its service, for example `kms:Encrypt`.
    public init(_ name: Text) {
        self.name = name
        folded = name.lowerCase
    }

    public var description: String { name.string }
}

/// What is asked: may this principal do this with this resource?
public struct AuthorizationQuery: Sendable {
    /// The policy of the resource itself.
    public enum ResourcePolicy: Sendable {
        /// The operation has no resource with a policy of its own: identity policies alone decide (CreateKey,
        /// ListKeys).
        case notApplicable
        /// A key policy, or the trust policy of a role.
        case document(PolicyDocument)
        /// There is one, and it could not be read: it denies everything.
        case unreadable
    }

    public var principal: Principal
    public var action: Action
    /// An ARN, or `*`.
    public var resource: Text
    /// 12 digits: the account that owns the resource.
    public var resourceAccountID: String
    public var resourcePolicy: ResourcePolicy
    /// Whether the operation has any effect for callers of other accounts (KMS Developer Guide, "KMS operations that
    /// users in other accounts can use").
    public var mayCrossAccounts: Bool
    /// Grants that may allow the action: those of `GrantIndex.candidates`. Constraints are looked at again.
    public var grants: [Grant]
    /// What the grants' constraints are compared with; nil when the operation has no encryption context, or constraints
    /// do not count for it (DescribeKey, RetireGrant).
    public var encryptionContext: [Text: Text]?
    /// The operation as grants name it; nil when no grant can convey it.
    public var grantOperation: GrantOperation?

    public init(
        principal: Principal, action: Action, resource: Text, resourceAccountID: String,
        resourcePolicy: ResourcePolicy, mayCrossAccounts: Bool = false, grants: [Grant] = [],
        encryptionContext: [Text: Text]? = nil, grantOperation: GrantOperation? = nil
    ) {
        self.principal = principal
        self.action = action
        self.resource = resource
        self.resourceAccountID = resourceAccountID
        self.resourcePolicy = resourcePolicy
        self.mayCrossAccounts = mayCrossAccounts
        self.grants = grants
        self.encryptionContext = encryptionContext
        self.grantOperation = grantOperation
    }
}

/// Where a statement stands.
public enum PolicyLayer: String, Sendable, Hashable {
    case resourcePolicy = "resource-based policy"
    case identityPolicy = "identity-based policy"
    case permissionsBoundary = "permissions boundary"
    case sessionPolicy = "session policy"
}

/// Names one statement, for the audit line and for people.
public struct StatementReference: Sendable, Hashable {
    public var layer: PolicyLayer
    /// Nil for the resource's own policy, which has no name.
    public var policyName: Text?
    /// From 0.
    public var index: Int
    public var sid: Text?

    public init(layer: PolicyLayer, policyName: Text?, index: Int, sid: Text?) {
        self.layer = layer
        self.policyName = policyName
        self.index = index
        self.sid = sid
    }
}

/// The answer to a query, with what decided it.
public enum Decision: Sendable, Hashable {
    case allowed(Allowance)
    case denied(Denial)

    public enum Allowance: Sendable, Hashable {
        /// A statement of the resource policy names the principal (in the resource's own account, that suffices).
        case resourcePolicy(StatementReference)
        /// An identity policy allows, and a statement of the resource policy lets it, where there is one. Across
        /// accounts, both are always needed. The root user of an account needs no identity policy: then `identity` is
        /// nil.
        case identityPolicy(StatementReference?, enabledBy: StatementReference?)
        /// A grant, by its id.
        case grant(id: String)
    }

    public enum Denial: Sendable, Hashable {
        case explicit(StatementReference)
        /// No statement of the resource policy lets this principal or its account, and no grant does.
        case noResourcePolicyAllows
        /// The resource policy leaves it to the account (or the other account), and no identity policy allows.
        case noIdentityPolicyAllows
        case noPermissionsBoundaryAllows
        case noSessionPolicyAllows
        /// The operation has no effect for other accounts.
        case notAcrossAccounts
        case unreadableResourcePolicy
    }

    public var isAllowed: Bool {
        if case .allowed = self { true } else { false }
    }
}
