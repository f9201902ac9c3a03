import KMSModel
import KMSPolicy

/// Who may be in these tests: alice, the administrator of 111111111111; bob, of the same account, without any policy of
/// his own; carol, the administrator of 222222222222.
enum People {
    static let alice = user("alice", of: "111111111111", [administratorAccess])
    static let bob = user("bob", of: "111111111111", [])
    static let carol = user("carol", of: "222222222222", [administratorAccess])

    static let directory: PrincipalDirectory = {
        var directory = PrincipalDirectory()
        for account in ["111111111111", "222222222222"] { directory.add(.init(id: account)) }
        for user in [alice, bob, carol] { directory.add(user: user) }
        return directory
    }()

    /// A user with policies given as JSON.
    static func user(_ name: Text, of account: String, _ policies: [Text]) -> Principal {
        let arn = Text("arn:aws:iam::\(account):user/\(name)")
        return Principal(
            kind: .user(name: name), accountID: account, arn: arn, identityARN: arn, uniqueID: UniqueID.user(arn: arn),
            identityPolicies: policies.enumerated().compactMap { index, text in
                (try? PolicyDocument(parsing: text, as: .identityPolicy))
                    .map { NamedPolicy(name: "policy\(index)", document: $0) }
            })
    }

    static let administratorAccess: Text =
        #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#
}
