public import KMSModel

/// One statement of a policy.
public struct Statement: Sendable, Hashable {
    public enum Effect: String, Sendable, Hashable {
        case allow = "Allow"
        case deny = "Deny"
    }

    /// Principal or NotPrincipal.
    package enum Principals: Sendable, Hashable {
        /// An identity policy speaks of whoever it is attached to.
        case whoeverItIsAttachedTo
        case these([PrincipalPattern])
        case allBut([PrincipalPattern])
    }

    /// Action or NotAction. Patterns are lower-case: action names compare without case.
    package enum Actions: Sendable, Hashable {
        /// A statement without actions is accepted in a key policy and has no effect
        /// (KMS Developer Guide, "Elements in a key policy").
        case none
        case these([Glob])
        case allBut([Glob])
    }

    /// Resource or NotResource.
    package enum Resources: Sendable, Hashable {
        /// As `Actions.none`.
        case none
        /// A trust policy speaks of the role that it is attached to.
        case whatItIsAttachedTo
        case these([TextPattern])
        case allBut([TextPattern])
    }

    public let sid: Text?
    public let effect: Effect
    package let principals: Principals
    package let actions: Actions
    package let resources: Resources
    /// All of them must hold.
    package let conditions: [Condition]

    package init(
        sid: Text?, effect: Effect, principals: Principals, actions: Actions, resources: Resources,
        conditions: [Condition]
    ) {
        self.sid = sid
        self.effect = effect
        self.principals = principals
        self.actions = actions
        self.resources = resources
        self.conditions = conditions
    }
}
