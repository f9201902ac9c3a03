import KMSModel
import KMSPolicy

/// What users and roles have in common.
struct Identity {
    enum Kind: String {
        case user
        case role
    }

    let name: Text
    let arn: Text
    let uniqueID: Text
    let tags: [Text: Text]
    /// Managed ones first, then inline ones, each in the order of the file.
    let policies: [NamedPolicy]
    let permissionsBoundary: NamedPolicy?

    /// - Parameter names: those of the account's other users, or roles, in lower case.
    init(
        _ members: YAMLMembers, _ value: YAMLValue, _ account: PrincipalDirectory.Account, _ kind: Kind,
        _ names: inout Set<String>
    ) throws {
        let name = try members.required("name").text()
        guard IAMNames.isName(name) else {
            throw value.failure("the name of a \(kind.rawValue) has 1 to 64 letters, digits and _+=,.@-")
        }
        // IAM API Reference, "CreateUser": names are unique within the account, whatever the path, and without case.
        guard names.insert(name.lowercased()).inserted else {
            throw value.failure("the account has another \(kind.rawValue) with this name")
        }
        let path = try members["path"]?.text() ?? "/"
        guard IAMNames.isPath(path) else {
            throw value.failure("the path \(path) is not of the form / or /team/")
        }
        let arn = Text("arn:aws:iam::\(account.id):\(kind.rawValue)\(path)\(name)")
        self.name = Text(name)
        self.arn = arn
        uniqueID = try members["uniqueId"].map { try kind.uniqueID($0) } ?? kind.defaultUniqueID(arn)
        tags = try members["tags"]?.tags() ?? [:]
        let inline = try value.policies(members["inlinePolicies"], called: "inline policy")
            .map { name, policy in NamedPolicy(name: Text(name), document: try policy.policy(.identityPolicy)) }
        policies = try Self.attached(members["policies"], account) + inline
        permissionsBoundary = try members["permissionsBoundary"].map { try $0.managedPolicy(of: account) }
    }

    private static func attached(
        _ value: YAMLValue?, _ account: PrincipalDirectory.Account
    ) throws -> [NamedPolicy] {
        var policies: [NamedPolicy] = []
        for value in try value?.elements() ?? [] {
            let policy = try value.managedPolicy(of: account)
            guard !policies.contains(where: { $0.name == policy.name }) else {
                throw value.failure("the policy \(policy.name) stands there twice")
            }
            policies.append(policy)
        }
        return policies
    }
}

extension Identity.Kind {
    fileprivate func uniqueID(_ value: YAMLValue) throws -> Text {
        let prefix = self == .user ? "AIDA" : "AROA"
        let id = Text(try value.text())
        guard UniqueID.isUserOrRole(id), id.string.hasPrefix(prefix) else {
            throw value.failure(
                "\(id) is no unique id of a \(rawValue); it is \(prefix) and 12 to 124 upper-case letters and digits")
        }
        return id
    }

    fileprivate func defaultUniqueID(_ arn: Text) -> Text {
        self == .user ? UniqueID.user(arn: arn) : UniqueID.role(arn: arn)
    }
}

extension YAMLValue {
    /// The users or roles of an account, each with its name in its place.
    func list(_ list: YAMLValue?, of kind: Identity.Kind) throws -> [YAMLValue] {
        try (list?.elements() ?? []).enumerated().map { index, element in
            let name = (try? element.entries().first { $0.name == "name" }?.value.text()) ?? ""
            return element.placed(in: self).named(
                IAMNames.isName(name) ? "\(kind.rawValue) \(name)" : "\(kind.rawValue) number \(index + 1)")
        }
    }

    /// Policies by their names, each with its name in its place.
    func policies(_ policies: YAMLValue?, called kind: String) throws -> [(name: String, value: YAMLValue)] {
        try (policies?.entries() ?? []).map { name, policy in
            guard IAMNames.isName(name, upTo: 128) else {
                throw policy.failure(
                    "the name of a policy has 1 to 128 letters, digits and _+=,.@-, unlike \(name.debugDescription)")
            }
            return (name, policy.placed(in: self).named("\(kind) \(name)"))
        }
    }

    /// A policy by its name.
    fileprivate func managedPolicy(of account: PrincipalDirectory.Account) throws -> NamedPolicy {
        let name = try text()
        if let policy = account.managedPolicies[Text(name)] { return policy }
        guard Text(name) == NamedPolicy.administratorAccess.name else {
            throw failure(
                "there is no policy \(name); there is AdministratorAccess, and what stands under policies of the account"
            )
        }
        return .administratorAccess
    }

    fileprivate func tags() throws -> [Text: Text] {
        var tags: [Text: Text] = [:]
        var keys: Set<Text> = []
        for (key, value) in try entries() {
            let (key, text) = (Text(key), Text(try value.text()))
            if let fault = IAMNames.fault(ofTag: key, text) { throw value.failure(fault) }
            // IAM User Guide, "Rules for tagging in IAM and AWS STS": keys are the same without case.
            guard keys.insert(key.lowerCase).inserted else {
                throw value.failure("the tag \(key) stands there twice; upper and lower case make no difference")
            }
            tags[key] = text
        }
        // IAM User Guide, "IAM and AWS STS quotas".
        guard tags.count <= 50 else { throw failure("\(tags.count) tags are more than 50") }
        return tags
    }
}
