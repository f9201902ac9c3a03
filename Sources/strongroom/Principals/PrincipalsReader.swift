import KMSModel
import KMSPolicy
import KMSServer
import SecureMemory

/// Makes principals of the accounts in a principals file, one account after the other.
struct PrincipalsReader {
    var loaded = LoadedPrincipals()
    private var uniqueIDs: Set<Text> = []

    /// IAM User Guide, "IAM and AWS STS quotas".
    private static let sessionDurations = 3600...43200

    mutating func read(_ value: YAMLValue, id: String) throws {
        guard IAMNames.isAccountID(id) else {
            throw value.failure("an account is 12 digits, not \(id.debugDescription)")
        }
        let value = value.named("account \(id)")
        // An account with nothing below it exists, too.
        guard !value.isNull else { return loaded.add(PrincipalDirectory.Account(id: id)) }
        let members = try value.members("organizationId", "policies", "root", "users", "roles")
        let organizationID = try members["organizationId"].map { value in
            let text = try value.text()
            guard IAMNames.isOrganizationID(text) else {
                throw value.failure("\(text) is not o- and 10 to 32 lower-case letters and digits")
            }
            return Text(text)
        }
        let account = PrincipalDirectory.Account(
            id: id, organizationID: organizationID, managedPolicies: try managedPolicies(members["policies"], value))
        loaded.add(account)

        if let root = try members["root"]?.members("accessKeys") {
            try add(root["accessKeys"]) { viaService in
                .root(of: id, organizationID: organizationID, viaService: viaService)
            }
        }
        var names: Set<String> = []
        for value in try value.list(members["users"], of: .user) {
            try add(user: value, to: account, &names)
        }
        names = []
        for value in try value.list(members["roles"], of: .role) {
            try add(role: value, to: account, &names)
        }
    }

    private func managedPolicies(_ policies: YAMLValue?, _ account: YAMLValue) throws -> [Text: NamedPolicy] {
        var managed: [Text: NamedPolicy] = [:]
        for (name, policy) in try account.policies(policies, called: "policy") {
            guard Text(name) != NamedPolicy.administratorAccess.name else {
                throw policy.failure("every account has the policy AdministratorAccess already; give another name")
            }
            managed[Text(name)] = NamedPolicy(name: Text(name), document: try policy.policy(.identityPolicy))
        }
        return managed
    }

    // MARK: Users and roles

    private mutating func add(
        user value: YAMLValue, to account: PrincipalDirectory.Account, _ names: inout Set<String>
    ) throws {
        let members = try value.members(
            "name", "path", "uniqueId", "tags", "policies", "inlinePolicies", "permissionsBoundary", "accessKeys")
        let identity = try Identity(members, value, account, .user, &names)
        try claim(identity.uniqueID, value)
        func user(viaService: Text?) -> Principal {
            Principal(
                kind: .user(name: identity.name), accountID: account.id, arn: identity.arn, identityARN: identity.arn,
                uniqueID: identity.uniqueID, tags: identity.tags, identityPolicies: identity.policies,
                permissionsBoundary: identity.permissionsBoundary, organizationID: account.organizationID,
                viaService: viaService)
        }
        loaded.add(user: user(viaService: nil))
        try add(members["accessKeys"], of: user)
    }

    private mutating func add(
        role value: YAMLValue, to account: PrincipalDirectory.Account, _ names: inout Set<String>
    ) throws {
        let members = try value.members(
            "name", "path", "uniqueId", "tags", "policies", "inlinePolicies", "permissionsBoundary",
            "maxSessionDuration", "trustPolicy")
        let identity = try Identity(members, value, account, .role, &names)
        try claim(identity.uniqueID, value)
        let seconds = try members["maxSessionDuration"].map { value in
            let seconds = try value.integer()
            guard Self.sessionDurations.contains(seconds) else {
                throw value.failure(
                    "\(seconds) is not within \(Self.sessionDurations.lowerBound) to "
                        + "\(Self.sessionDurations.upperBound) seconds")
            }
            return seconds
        }
        loaded.add(
            Role(
                arn: identity.arn, name: identity.name, accountID: account.id, uniqueID: identity.uniqueID,
                trustPolicy: try members.required("trustPolicy").policy(.trustPolicy),
                maximumSessionSeconds: seconds ?? Self.sessionDurations.lowerBound, tags: identity.tags,
                identityPolicies: identity.policies, permissionsBoundary: identity.permissionsBoundary))
    }

    private mutating func claim(_ uniqueID: Text, _ value: YAMLValue) throws {
        guard uniqueIDs.insert(uniqueID).inserted else {
            throw value.failure("the unique id \(uniqueID) stands there twice")
        }
    }

    // MARK: Access keys

    private mutating func add(_ value: YAMLValue?, of make: (Text?) -> Principal) throws {
        for key in try value?.elements() ?? [] {
            let members = try key.members("id", "secret", "viaService")
            let id = try accessKeyID(members.required("id"))
            let secret = try members.required("secret")
            let secretText = try secret.text()
            guard !secretText.isEmpty else { throw secret.failure("a secret access key is not empty") }
            let viaService = try members["viaService"].map { value in
                let text = try value.text()
                guard IAMNames.isServiceName(text) else {
                    throw value.failure("\(text) is no service name; one like s3 has lower-case letters, digits and -")
                }
                return Text(text)
            }
            let accessKey = AccessKey(
                id: id, secret: SecretBytes(copying: Array(secretText.utf8).span), principal: make(viaService))
            guard loaded.add(accessKey) else { throw key.failure("the access key id \(id) stands there twice") }
        }
    }

    private func accessKeyID(_ value: YAMLValue) throws -> String {
        let id = try value.text()
        guard IAMNames.isAccessKeyID(id) else {
            throw value.failure("an access key id has 1 to 128 letters, digits and _+=,.@-")
        }
        guard !id.hasPrefix("ASIA") else {
            throw value.failure("\(id) begins with ASIA, as the access keys of role sessions do; give another id")
        }
        return id
    }
}
