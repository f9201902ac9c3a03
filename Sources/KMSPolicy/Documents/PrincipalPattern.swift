public import KMSModel

/// One entry of Principal or NotPrincipal. No wildcards but the one that means everyone
/// (IAM User Guide, "AWS JSON policy elements: Principal").
public enum PrincipalPattern: Sendable, Hashable {
    /// `"*"` or `{"AWS": "*"}`.
    case everyone
    /// `arn:aws:iam::111122223333:root` or `111122223333`: the account, which then decides by its own IAM policies whom
    /// it lets; and its root user.
    case account(id: String)
    /// `arn:aws:iam::111122223333:user/path/name`.
    case user(arn: Text)
    /// `arn:aws:iam::111122223333:role/path/name`: all sessions of the role.
    case role(arn: Text)
    /// `arn:aws:sts::111122223333:assumed-role/name/session`.
    case roleSession(arn: Text)
    /// `arn:aws:sts::111122223333:federated-user/name`. Nobody here is one.
    case federatedUser(arn: Text)
    /// `AIDA…` or `AROA…`: a user or role by its unique id.
    case uniqueID(Text)
    /// `{"Service": "x.amazonaws.com"}`. Nobody here is one.
    case service(Text)
    /// `{"Federated": …}`. Nobody here is one.
    case federated(Text)
}
