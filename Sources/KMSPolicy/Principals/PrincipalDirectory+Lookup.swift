public import KMSModel

extension PrincipalDirectory {
    /// Whoever has this ARN, with nothing that only credentials could add.
    ///
    /// - Parameters:
    ///   - arn: of a user, of an account's root user, of a role session, or of a role, which stands for a session of it
    ///     named `session`. Sessions have no session tags and no session policies.
    ///   - sessionIssueTime: aws:TokenIssueTime of a session.
    /// - Returns: nil when the directory has no such user, role or account.
    public func principal(
        _ arn: Text, sessionIssueTime: Timestamp = Timestamp(secondsSinceEpoch: 0)
    ) -> Principal? {
        switch try? PrincipalPattern(arnOrID: arn) {
        case .user(let arn):
            return user(arn)
        case .role(let arn):
            return role(arn).map { session(of: $0, "session", sessionIssueTime) }
        case .roleSession(let arn):
            guard let role = role(ofSession: arn), let name = arn.string.split(separator: "/").last else { return nil }
            return session(of: role, Text(String(name)), sessionIssueTime)
        case .account(let id):
            guard let account = account(id) else { return nil }
            return .root(
                of: id, partition: ARNText.partition(of: arn).string, organizationID: account.organizationID)
        default:
            return nil
        }
    }

    private func session(of role: Role, _ name: Text, _ issueTime: Timestamp) -> Principal {
        .session(
            of: role, Principal.Session(name: name, issueTime: issueTime),
            organizationID: account(role.accountID)?.organizationID)
    }
}

extension PrincipalPattern {
    /// Whether the directory has whoever this names. Nobody can tell of services and of identities of other providers:
    /// they count as existing; a federated user exists where its account does.
    public func exists(in directory: PrincipalDirectory) -> Bool {
        switch self {
        case .everyone, .service, .federated: true
        case .account(let id): directory.account(id) != nil
        case .user(let arn): directory.user(arn) != nil
        case .role(let arn): directory.role(arn) != nil
        case .roleSession(let arn): directory.role(ofSession: arn) != nil
        case .federatedUser(let arn): directory.account(ARNText.accountID(of: arn)) != nil
        case .uniqueID(let id): directory.hasUniqueID(id)
        }
    }
}

extension PolicyDocument {
    /// The entries of Principal and NotPrincipal that name nobody in the directory, in the order of the document, each
    /// once.
    public func unknownPrincipals(in directory: PrincipalDirectory) -> [PrincipalPattern] {
        var seen: Set<PrincipalPattern> = []
        var unknown: [PrincipalPattern] = []
        for statement in statements {
            switch statement.principals {
            case .whoeverItIsAttachedTo: continue
            case .these(let patterns), .allBut(let patterns):
                for pattern in patterns where seen.insert(pattern).inserted && !pattern.exists(in: directory) {
                    unknown.append(pattern)
                }
            }
        }
        return unknown
    }
}
