import KMSModel
import KMSPolicy
import KMSServer
import SecureMemory

/// Two accounts, their users and roles, as a principals file would describe them.
struct World {
    struct Role {
        var account = "111111111111"
        var uniqueID: Text = "AROADEPLOYDEPLOYDEPLO"
        /// The statements of the trust policy.
        var trust: String
        /// The statements of its one identity policy.
        var policy = #"{"Effect":"Allow","Action":"kms:*","Resource":"*"}"#
        var maximumSessionSeconds = 3_600
        var tags: [Text: Text] = [:]
    }

    static let alice = Client(accessKeyID: "AKIAALICE", secretKey: "alice-secret")
    /// A user of the other account.
    static let bob = Client(accessKeyID: "AKIABOB", secretKey: "bob-secret")
    static let root = Client(accessKeyID: "AKIAROOT", secretKey: "root-secret")

    static let aliceARN = "arn:aws:iam::111111111111:user/team/alice"

    var aliceSecret = "alice-secret"
    /// The statements of alice's and bob's identity policies; none by default.
    var alicePolicy: String?
    var bobPolicy: String?
    var roles: [String: Role] = ["deploy": Role(trust: Self.allow(aliceARN))]

    /// A statement of a trust policy.
    static func allow(_ principal: String, _ actions: String = "sts:AssumeRole", condition: String = "{}") -> String {
        let actions = actions.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ",")
        return
            #"{"Effect":"Allow","Principal":{"AWS":"\#(principal)"},"Action":[\#(actions)],"Condition":\#(condition)}"#
    }

    /// A statement of an identity policy.
    static func allowing(_ actions: String) -> String {
        let actions = actions.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ",")
        return #"{"Effect":"Allow","Action":[\#(actions)],"Resource":"*"}"#
    }

    func principals() throws -> Principals {
        var directory = PrincipalDirectory()
        let keyUsers = NamedPolicy(name: "KeyUsers", document: try document(Self.allowing("kms:ListAliases")))
        directory.add(
            PrincipalDirectory.Account(
                id: "111111111111", organizationID: "o-exampleorg", managedPolicies: ["KeyUsers": keyUsers]))
        directory.add(PrincipalDirectory.Account(id: "222222222222"))
        let alice = try user("alice", Self.aliceARN, "111111111111", alicePolicy)
        let bob = try user("bob", "arn:aws:iam::222222222222:user/bob", "222222222222", bobPolicy)
        directory.add(user: alice)
        directory.add(user: bob)
        for (name, role) in roles {
            directory.add(
                KMSPolicy.Role(
                    arn: "arn:aws:iam::\(role.account):role/\(name)", name: Text(name), accountID: role.account,
                    uniqueID: role.uniqueID, trustPolicy: try document(role.trust, as: .trustPolicy),
                    maximumSessionSeconds: role.maximumSessionSeconds, tags: role.tags,
                    identityPolicies: [NamedPolicy(name: "role", document: try document(role.policy))]))
        }
        return Principals(
            directory: directory,
            accessKeys: [
                accessKey("AKIAALICE", aliceSecret, alice), accessKey("AKIABOB", "bob-secret", bob),
                accessKey("AKIAROOT", "root-secret", .root(of: "111111111111")),
                // Of no use: ids that begin so belong to sessions.
                accessKey("ASIAALICE", "alice-secret", alice),
            ])
    }

    private func user(_ name: Text, _ arn: String, _ account: String, _ policy: String?) throws -> Principal {
        Principal(
            kind: .user(name: name), accountID: account, arn: Text(arn), identityARN: Text(arn),
            uniqueID: "AIDA\(Text(name.string.uppercased()))",
            identityPolicies: try policy.map { [NamedPolicy(name: "user", document: try document($0))] } ?? [])
    }

    private func document(_ statements: String, as kind: PolicyDocument.Kind = .identityPolicy) throws -> PolicyDocument
    {
        try PolicyDocument(parsing: Text(#"{"Version":"2012-10-17","Statement":[\#(statements)]}"#), as: kind)
    }

    private func accessKey(_ id: String, _ secret: String, _ principal: Principal) -> AccessKey {
        AccessKey(id: id, secret: SecretBytes(copying: Array(secret.utf8).span), principal: principal)
    }
}
