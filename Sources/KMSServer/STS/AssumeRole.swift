internal import KMSCore
internal import KMSModel
internal import KMSPolicy
internal import Logging
internal import SecureMemory
internal import SigV4

extension SecurityTokenService {
    /// Longest session of a role that is assumed by a role session (IAM User Guide, "Role chaining").
    private static let chainedSessionSeconds = 3600

    /// Makes a session of a role.
    ///
    /// What the request alone says is judged first, then whether the caller may assume the role, and only then what
    /// depends on the role: nobody learns anything about a role that is not open to him, not even that it exists.
    func assumeRole(_ parameters: FormParameters, _ context: RequestContext) throws(STSError) -> Result {
        let request = try AssumeRoleRequest(parameters)
        let caller = context.caller
        if case .root = caller.kind { throw .rootMayNotAssumeRoles }
        try Self.checkForm(request)
        let inherited = try Self.inherited(by: request, from: caller)
        let directory = principals.value.directory
        let role = try authorize(request, inherited, directory, context)

        guard request.durationSeconds <= role.maximumSessionSeconds else { throw .sessionTooLong }
        for arn in request.policyARNs where SessionPolicies.managed(arn, of: role, in: directory) == nil {
            throw .validation("The policy \(arn) does not exist in account \(role.accountID).")
        }
        let now = Int64(service.now.secondsSinceEpoch.rounded(.down))
        let content = SessionContent(
            roleARN: role.arn, roleUniqueID: role.uniqueID, sessionName: request.roleSessionName, issueTime: now,
            expiry: now + Int64(request.durationSeconds), sourceIdentity: inherited.sourceIdentity,
            tags: inherited.tags, policyARNs: request.policyARNs, policy: request.policy)
        let packedPercent = try Self.packedPercent(of: content)
        return try issue(content, of: role, packedPercent, seconds: request.durationSeconds)
    }

    /// What a session has from its request and from the session that made the request.
    private struct Inherited {
        var tags: [SessionTag]
        var sourceIdentity: Text?
    }

    /// What can be told without knowing the role.
    private static func checkForm(_ request: AssumeRoleRequest) throws(STSError) {
        let parts = request.roleARN.string.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", !parts[1].isEmpty, parts[2] == "iam", parts[3].isEmpty,
            parts[4].utf8.count == 12, parts[4].utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
            parts[5].hasPrefix("role/"), parts[5].utf8.count > "role/".utf8.count
        else { throw .invalidRequestARN }
        guard let policy = request.policy else { return }
        do {
            _ = try PolicyDocument(parsing: policy, as: .identityPolicy)
        } catch {
            throw STSError(.malformedPolicyDocument, error.description)
        }
    }

    /// A chained session keeps the transitive tags and the source identity of the session before it; neither can be
    /// changed (IAM User Guide, "Chaining roles with session tags", "Monitor and control actions taken with assumed
    /// roles").
    private static func inherited(
        by request: AssumeRoleRequest, from caller: Principal
    ) throws(STSError) -> Inherited {
        guard case .roleSession(let session) = caller.kind else {
            return Inherited(tags: request.tags, sourceIdentity: request.sourceIdentity)
        }
        guard request.durationSeconds <= chainedSessionSeconds else { throw .chainedSessionTooLong }
        if let set = session.sourceIdentity, let wanted = request.sourceIdentity, set != wanted {
            throw .sourceIdentityIsSet
        }
        let transitive = Set(session.transitiveTagKeys.map(\.lowerCase))
        guard !request.tags.contains(where: { transitive.contains($0.key.lowerCase) }) else {
            throw .transitiveTagConflict
        }
        let tags = session.transitiveTagKeys.compactMap { key in
            caller.tags[key].map { SessionTag(key: key, value: $0, isTransitive: true) }
        }
        // The limit of a request, which counts what is inherited: a session has no more (IAM User Guide, "Pass session
        // tags in AWS STS").
        guard tags.count + request.tags.count <= AssumeRoleRequest.maximumTagCount else {
            throw .packedTagsTooLarge(
                percent: (tags.count + request.tags.count) * 100 / AssumeRoleRequest.maximumTagCount)
        }
        return Inherited(
            tags: tags + request.tags, sourceIdentity: session.sourceIdentity ?? request.sourceIdentity)
    }

    // MARK: Authorization

    /// The role, if the caller may assume it, and tag the session, and set its source identity, as far as the session
    /// has tags and a source identity, inherited ones too.
    ///
    /// Errors: AccessDenied, the same whether there is no such role or it is not open to the caller.
    private func authorize(
        _ request: AssumeRoleRequest, _ inherited: Inherited, _ directory: PrincipalDirectory,
        _ context: RequestContext
    ) throws(STSError) -> Role {
        let caller = context.caller
        guard let role = directory.role(request.roleARN) else {
            throw .accessDenied(caller.arn.string, action: "sts:AssumeRole", role: request.roleARN.string)
        }
        let conditions = AssumeRoleConditions(
            caller: caller,
            environment: RequestEnvironment(
                region: context.region, time: service.now, sourceIP: context.sourceIP,
                userAgent: context.userAgent, referer: context.referer, viaService: caller.viaService),
            request: request, role: role, roleOrganizationID: directory.account(role.accountID)?.organizationID,
            tags: inherited.tags, sourceIdentity: inherited.sourceIdentity)
        var actions: [Text] = ["sts:AssumeRole"]
        if !inherited.tags.isEmpty { actions.append("sts:TagSession") }
        if inherited.sourceIdentity != nil { actions.append("sts:SetSourceIdentity") }
        for action in actions {
            let query = AuthorizationQuery(
                principal: caller, action: Action(action), resource: role.arn, resourceAccountID: role.accountID,
                resourcePolicy: .document(role.trustPolicy), mayCrossAccounts: true)
            guard decide(query, conditions).isAllowed else {
                throw .accessDenied(caller.arn.string, action: action.string, role: role.arn.string)
            }
        }
        return role
    }

    // MARK: The answer

    /// How much of the space that a token leaves for them the policies and tags take; nil when there are none.
    ///
    /// Errors: PackedPolicyTooLarge above 100 %.
    private static func packedPercent(of content: SessionContent) throws(STSError) -> Int? {
        guard content.policy != nil || !content.policyARNs.isEmpty || !content.tags.isEmpty else { return nil }
        var bare = content
        (bare.policy, bare.policyARNs, bare.tags) = (nil, [], [])
        guard let whole = content.encoded()?.count, let fixed = bare.encoded()?.count else { throw .internalFailure }
        let available = max(SessionToken.maximumContentByteCount - fixed, 1)
        let percent = ((whole - fixed) * 100 + available - 1) / available
        guard percent <= 100 else {
            throw content.policy == nil && content.policyARNs.isEmpty
                ? .packedTagsTooLarge(percent: percent) : .packedPolicyTooLarge(percent: percent)
        }
        return percent
    }

    private func issue(
        _ content: SessionContent, of role: Role, _ packedPercent: Int?, seconds: Int
    ) throws(STSError) -> Result {
        let credentials: (accessKeyID: String, secretKey: SecretBytes, token: String)?
        do {
            credentials = try sessions.issue(content)
        } catch {
            logger.error("no session credentials could be made", metadata: ["error": "\(error)"])
            throw .internalFailure
        }
        // Only a role with an ARN far longer than IAM's leaves no room.
        guard let credentials else { throw .packedPolicyTooLarge(percent: 100) }
        // Clients compare it with their own clock, which knows no test clock.
        let expiration = WireTime.iso8601(Int64(DomainClock.wallTime()) + Int64(seconds))
        return { writer in
            writer.element("AssumedRoleUser") { writer in
                writer.element("Arn", role.sessionARN(content.sessionName))
                writer.element("AssumedRoleId", "\(role.uniqueID):\(content.sessionName)")
            }
            writer.element("Credentials") { writer in
                writer.element("AccessKeyId", Text(credentials.accessKeyID))
                writer.element("SecretAccessKey", credentials.secretKey)
                writer.element("SessionToken", Text(credentials.token))
                writer.element("Expiration", Text(expiration))
            }
            if let packedPercent { writer.element("PackedPolicySize", Text(String(packedPercent))) }
            if let identity = content.sourceIdentity { writer.element("SourceIdentity", identity) }
        }
    }
}
