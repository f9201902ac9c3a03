public import KMSModel

/// A policy and the name that people know it by.
public struct NamedPolicy: Sendable, Hashable {
    public let name: Text
    public let document: PolicyDocument

    public init(name: Text, document: PolicyDocument) {
        self.name = name
        self.document = document
    }
}

extension NamedPolicy {
    /// The policy of AWS's that every account has: everything is allowed
    /// (AWS Managed Policy Reference, "AdministratorAccess").
    public static let administratorAccess = NamedPolicy(
        name: "AdministratorAccess",
        document: PolicyDocument(
            version: .version2012,
            statements: [
                Statement(
                    sid: nil, effect: .allow, principals: .whoeverItIsAttachedTo, actions: .these([Glob("*")]),
                    resources: .these([.everything]), conditions: [])
            ]))

    /// A policy that allows nothing.
    public static func nothing(named name: Text) -> NamedPolicy {
        NamedPolicy(name: name, document: PolicyDocument(version: .version2012, statements: []))
    }
}

/// Who asks: the root user of an account, an IAM user, or a session of an IAM role, with everything that belongs to it.
public final class Principal: Sendable {
    public enum Kind: Sendable, Hashable {
        case root
        case user(name: Text)
        /// `sessionName` is the last part of the session's ARN.
        case roleSession(Session)
    }

    /// What a session has that its role has not.
    public struct Session: Sendable, Hashable {
        public var name: Text
        /// Domain time.
        public var issueTime: Timestamp
        public var sourceIdentity: Text?
        /// The keys of the session tags that a chained session keeps.
        public var transitiveTagKeys: [Text]

        public init(name: Text, issueTime: Timestamp, sourceIdentity: Text? = nil, transitiveTagKeys: [Text] = []) {
            self.name = name
            self.issueTime = issueTime
            self.sourceIdentity = sourceIdentity
            self.transitiveTagKeys = transitiveTagKeys
        }
    }

    public let kind: Kind
    /// 12 digits.
    public let accountID: String
    /// What error messages show: of a session, the session's ARN (`arn:aws:sts::…:assumed-role/Role/Session`).
    public let arn: Text
    /// aws:PrincipalArn: of a session, its role's ARN; of everyone else, `arn`.
    public let identityARN: Text
    /// `AIDA…` of a user, `AROA…` of a role, the account id of a root user.
    public let uniqueID: Text
    /// Of a session: those of the role, overridden by the session's.
    public let tags: [Text: Text]
    /// A root user needs none and has none.
    public let identityPolicies: [NamedPolicy]
    public let permissionsBoundary: NamedPolicy?
    /// Empty when the session was made without any.
    public let sessionPolicies: [NamedPolicy]
    /// `o-…`, of the principal's account.
    public let organizationID: Text?
    /// The service, such as `s3`, through which requests with this access key are marked as made (kms:ViaService).
    public let viaService: Text?

    /// `aws`, `aws-cn` or `aws-us-gov`: that of `arn`.
    public let partition: Text
    /// The ARNs that a grant's grantee or retiring principal may have for this caller, most specific first: session and
    /// role, or user; then the root of the account, which stands for all of it.
    public let grantARNs: [Text]
    /// `accountID`, as condition keys want it.
    let accountText: Text
    /// aws:userid.
    let userID: Text

    public init(
        kind: Kind, accountID: String, arn: Text, identityARN: Text, uniqueID: Text, tags: [Text: Text] = [:],
        identityPolicies: [NamedPolicy] = [], permissionsBoundary: NamedPolicy? = nil,
        sessionPolicies: [NamedPolicy] = [], organizationID: Text? = nil, viaService: Text? = nil
    ) {
        self.kind = kind
        self.accountID = accountID
        self.arn = arn
        self.identityARN = identityARN
        self.uniqueID = uniqueID
        self.tags = tags
        self.identityPolicies = identityPolicies
        self.permissionsBoundary = permissionsBoundary
        self.sessionPolicies = sessionPolicies
        self.organizationID = organizationID
        self.viaService = viaService
        // What most requests ask for is made once: principals live longer than requests.
        partition = ARNText.partition(of: arn)
        accountText = Text(accountID)
        let rootARN = Text("arn:\(partition):iam::\(accountID):root")
        switch kind {
        case .root:
            userID = uniqueID
            grantARNs = [rootARN]
        case .user:
            userID = uniqueID
            grantARNs = [arn, rootARN]
        case .roleSession(let session):
            // IAM User Guide, "Information available in all requests": role id, colon, session name.
            userID = Text("\(uniqueID):\(session.name)")
            grantARNs = [arn, identityARN, rootARN]
        }
    }
}
