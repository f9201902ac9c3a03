public import KMSModel

/// An IAM role: what its sessions have in common.
public struct Role: Sendable, Hashable {
    public var arn: Text
    public var name: Text
    public var accountID: String
    /// `AROA…`.
    public var uniqueID: Text
    public var trustPolicy: PolicyDocument
    /// 3600…43200.
    public var maximumSessionSeconds: Int
    public var tags: [Text: Text]
    public var identityPolicies: [NamedPolicy]
    public var permissionsBoundary: NamedPolicy?

    public init(
        arn: Text, name: Text, accountID: String, uniqueID: Text, trustPolicy: PolicyDocument,
        maximumSessionSeconds: Int = 3600, tags: [Text: Text] = [:], identityPolicies: [NamedPolicy] = [],
        permissionsBoundary: NamedPolicy? = nil
    ) {
        self.arn = arn
        self.name = name
        self.accountID = accountID
        self.uniqueID = uniqueID
        self.trustPolicy = trustPolicy
        self.maximumSessionSeconds = maximumSessionSeconds
        self.tags = tags
        self.identityPolicies = identityPolicies
        self.permissionsBoundary = permissionsBoundary
    }
}

/// Everyone this installation knows: accounts, users, roles. A value; a new principals file makes a new one.
public struct PrincipalDirectory: Sendable {
    public struct Account: Sendable {
        /// 12 digits.
        public var id: String
        public var organizationID: Text?
        /// Customer managed policies by name, which AssumeRole may name as session policies.
        public var managedPolicies: [Text: NamedPolicy]

        public init(id: String, organizationID: Text? = nil, managedPolicies: [Text: NamedPolicy] = [:]) {
            self.id = id
            self.organizationID = organizationID
            self.managedPolicies = managedPolicies
        }
    }

    private var accounts: [String: Account] = [:]
    private var users: [Text: Principal] = [:]
    private var roles: [Text: Role] = [:]
    private var uniqueIDs: Set<Text> = []
    /// The role of a session, by the session's ARN up to and with the slash before the session name. IAM allows a role
    /// name once in an account, whatever its path.
    private var rolesBySessionPrefix: [Text: Role] = [:]

    public init() {}

    public mutating func add(_ account: Account) { accounts[account.id] = account }

    /// A user, by ARN. Takes the place of one with the same ARN, as do the others.
    public mutating func add(user: Principal) {
        if let previous = users.updateValue(user, forKey: user.arn) { uniqueIDs.remove(previous.uniqueID) }
        uniqueIDs.insert(user.uniqueID)
    }

    public mutating func add(_ role: Role) {
        if let previous = roles.updateValue(role, forKey: role.arn) { uniqueIDs.remove(previous.uniqueID) }
        uniqueIDs.insert(role.uniqueID)
        rolesBySessionPrefix[role.sessionARN("")] = role
    }

    public func account(_ id: String) -> Account? { accounts[id] }

    public func user(_ arn: Text) -> Principal? { users[arn] }

    public func role(_ arn: Text) -> Role? { roles[arn] }

    /// The role of a session, by the session's ARN.
    public func role(ofSession arn: Text) -> Role? {
        guard let slash = arn.utf8.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        return rolesBySessionPrefix[Text(String(arn.string[...slash]))]
    }

    /// Adds everyone of another directory; where both have the same account, user or role, the other one's stays.
    public mutating func merge(_ other: PrincipalDirectory) {
        for account in other.accounts.values { add(account) }
        for user in other.users.values { add(user: user) }
        for role in other.roles.values { add(role) }
    }

    public var allUsers: [Principal] { Array(users.values) }

    public var allRoles: [Role] { Array(roles.values) }

    public func hasUniqueID(_ id: Text) -> Bool { uniqueIDs.contains(id) }
}
