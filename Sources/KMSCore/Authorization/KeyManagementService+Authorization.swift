public import KMSModel
import KMSPolicy

// May the caller? Every operation comes through here before it looks at anything else of a key.
extension KeyManagementService {
    /// Authorizes an action on a KMS key, by key policy, identity policies and grants.
    ///
    /// A key that does not exist has no policy: there the caller's own policies decide whether the caller learns so
    /// (AccessDeniedException if not). Those of other accounts who name a missing key are told that nothing allows it,
    /// as for a key that is there and does not let them.
    func authorize(
        _ action: KeyAction, _ target: KeyTarget, _ facts: RequestFacts, _ context: RequestContext
    ) throws(KMSError) {
        if let key = target.key { context.trail.note(key) }
        let decision = decide(action, target, facts, context)
        guard case .denied(let denial) = decision else { return }
        throw .accessDenied(context.caller.arn, action.action, on: target.arn, denial)
    }

    func decide(
        _ action: KeyAction, _ target: KeyTarget, _ facts: RequestFacts, _ context: RequestContext
    ) -> Decision {
        if target.key == nil, target.owner.accountID != context.caller.accountID {
            return .denied(.noResourcePolicyAllows)
        }
        return KMSPolicy.decide(
            target.query(action, facts, context.caller),
            RequestConditions(
                context.caller, environment(of: context), facts, target,
                organizationID: organizationID(of: target.owner, context)))
    }

    private func organizationID(of owner: Scope, _ context: RequestContext) -> Text? {
        owner.accountID == context.caller.accountID
            ? context.caller.organizationID : principals().account(owner.accountID)?.organizationID
    }

    /// Authorizes an action that is on no key: identity policies alone decide.
    ///
    /// - Parameter resource: an ARN; `*` for actions without a resource of their own, such as CreateKey.
    func authorize(
        _ action: KeyAction, on resource: String, facts: RequestFacts = .none, _ context: RequestContext
    ) throws(KMSError) {
        let decision = KMSPolicy.decide(
            .identityOnly(action.action, on: resource, context.caller),
            RequestConditions(context.caller, environment(of: context), facts))
        guard case .denied(let denial) = decision else { return }
        throw .accessDenied(context.caller.arn, action.action, on: resource, denial)
    }

    func authorize(
        _ operation: KMSOperation, facts: RequestFacts = .none, _ context: RequestContext
    ) throws(KMSError) {
        try authorize(KeyAction.of(operation), on: "*", facts: facts, context)
    }

    /// Authorizes what `strongroom dev` adds for tests: identity policies must allow `strongroom:<name>`.
    public func authorizeTestControl(_ name: Substring, _ context: RequestContext) throws(KMSError) {
        let action = Action(Text("strongroom:\(name)"))
        let decision = KMSPolicy.decide(
            .identityOnly(action, on: "*", context.caller),
            RequestConditions(context.caller, environment(of: context), .none))
        guard case .denied(let denial) = decision else { return }
        throw .accessDenied(context.caller.arn, action, on: "*", denial)
    }

    private func environment(of context: RequestContext) -> RequestEnvironment {
        RequestEnvironment(
            region: context.region, time: clock.now, sourceIP: context.sourceIP, userAgent: context.userAgent,
            referer: context.referer, viaService: context.caller.viaService)
    }
}

extension AuthorizationQuery {
    /// A question that identity policies alone decide.
    static func identityOnly(_ action: Action, on resource: String, _ caller: Principal) -> AuthorizationQuery {
        AuthorizationQuery(
            principal: caller, action: action, resource: Text(resource), resourceAccountID: caller.accountID,
            resourcePolicy: .notApplicable)
    }
}
