internal import KMSCore
internal import KMSModel
internal import KMSPolicy

extension SecurityTokenService {
    /// Says who the caller is. Nobody needs a permission to be told, and no policy can forbid it (AWS STS API
    /// Reference, "GetCallerIdentity").
    func getCallerIdentity(_ context: RequestContext) -> Result {
        let caller = context.caller
        return { writer in
            writer.element("Arn", caller.arn)
            writer.element("UserId", caller.userID)
            writer.element("Account", Text(caller.accountID))
        }
    }
}

extension Principal {
    /// The unique id of a user, `AROA…:session` of a role session, the account of a root user.
    var userID: Text {
        switch kind {
        case .root: Text(accountID)
        case .user: uniqueID
        case .roleSession(let session): "\(uniqueID):\(session.name)"
        }
    }
}
