import KMSModel
import KMSPolicy

/// A few principals of two accounts.
struct People {
    let alice = Principal(
        kind: .user(name: "alice"), accountID: "111122223333", arn: "arn:aws:iam::111122223333:user/team/alice",
        identityARN: "arn:aws:iam::111122223333:user/team/alice", uniqueID: "AIDACKCEVSQ6C2EXAMPLE",
        tags: ["Project": "blue"], organizationID: "o-a1b2c3d4e5")

    let deploy = Role(
        arn: "arn:aws:iam::111122223333:role/ops/deploy", name: "deploy", accountID: "111122223333",
        uniqueID: "AROADBQP57FF2AEXAMPLE", trustPolicy: PolicyDocument(version: .version2012, statements: []),
        tags: ["stage": "production", "team": "ops"])

    /// 2026-01-02T03:04:05Z and a bit.
    let issueTime = Timestamp(secondsSinceEpoch: 1_767_323_045.75)

    func session(tags: [Text: Text] = [:]) -> Principal {
        .session(
            of: deploy, Principal.Session(name: "ci-1", issueTime: issueTime, sourceIdentity: "alice"),
            sessionTags: tags)
    }

    /// Alice, the role, and their account.
    var directory: PrincipalDirectory {
        var directory = PrincipalDirectory()
        directory.add(PrincipalDirectory.Account(id: "111122223333", organizationID: "o-a1b2c3d4e5"))
        directory.add(user: alice)
        directory.add(deploy)
        return directory
    }
}
