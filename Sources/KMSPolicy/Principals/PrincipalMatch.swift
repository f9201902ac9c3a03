/// How an entry of Principal fits a caller. It decides how far a permissions boundary and a session policy limit what a
/// resource policy allows (IAM User Guide, "Determining whether a request is allowed or denied within an account"):
/// what is later in this order is more particular, and less limited.
package enum PrincipalMatch: Sendable, Hashable, Comparable {
    /// The entry is `*`.
    case everyone
    /// The entry is the caller's account, and the caller is not its root user: the account decides by its own policies.
    case account
    /// The caller is a session of the role, named by ARN or unique id.
    case role
    /// The entry names the caller, a user or root user, by ARN, account or unique id.
    case user
    /// The entry is the ARN of the caller's session.
    case session
}

extension Principal {
    /// How an entry of Principal fits this caller; nil when it does not.
    package func match(_ pattern: PrincipalPattern) -> PrincipalMatch? {
        switch (pattern, kind) {
        case (.everyone, _):
            return .everyone
        case (.account(let id), .root):
            return id == accountID ? .user : nil
        case (.account(let id), _):
            return id == accountID ? .account : nil
        case (.user(let arn), .user):
            return arn == self.arn ? .user : nil
        case (.role(let arn), .roleSession):
            return arn == identityARN ? .role : nil
        case (.roleSession(let arn), .roleSession):
            return arn == self.arn ? .session : nil
        case (.uniqueID(let id), .user):
            return id == uniqueID ? .user : nil
        case (.uniqueID(let id), .roleSession):
            return id == uniqueID ? .role : nil
        case (.user, _), (.role, _), (.roleSession, _), (.uniqueID, _), (.federatedUser, _), (.service, _),
            (.federated, _):
            return nil
        }
    }
}
