import KMSModel
import KMSPolicy
import Testing

@Suite struct PrincipalDirectoryTests {
    private let people = People()

    @Test func `A user, a root user, a role and a session are found by ARN`() throws {
        let directory = people.directory
        #expect(directory.principal(people.alice.arn) === people.alice)
        let root = try #require(directory.principal("arn:aws-cn:iam::111122223333:root"))
        #expect(root.kind == .root)
        #expect(root.arn == "arn:aws-cn:iam::111122223333:root")
        #expect(root.organizationID == "o-a1b2c3d4e5")
        let session = try #require(directory.principal("arn:aws:sts::111122223333:assumed-role/deploy/ci-1"))
        #expect(session.arn == "arn:aws:sts::111122223333:assumed-role/deploy/ci-1")
        #expect(session.identityARN == people.deploy.arn)
        #expect(session.organizationID == "o-a1b2c3d4e5")
        let ofRole = try #require(directory.principal(people.deploy.arn, sessionIssueTime: people.issueTime))
        #expect(ofRole.arn == "arn:aws:sts::111122223333:assumed-role/deploy/session")
        #expect(ofRole.values(of: .known(.tokenIssueTime)) == .single("2026-01-02T03:04:05Z"))
    }

    @Test(arguments: [
        "", "*", "alice", "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::444455556666:root",
        "arn:aws:iam::111122223333:role/deploy", "arn:aws:sts::111122223333:assumed-role/other/ci-1",
        "arn:aws:sts::444455556666:assumed-role/deploy/ci-1", "arn:aws:sts::111122223333:assumed-role/deploy/",
        "arn:aws-cn:sts::111122223333:assumed-role/deploy/ci-1", "arn:aws:sts::111122223333:federated-user/alice",
        "AIDACKCEVSQ6C2EXAMPLE",
    ])
    func `Nobody else is found`(_ arn: String) {
        #expect(people.directory.principal(Text(arn)) == nil)
    }

    @Test(arguments: [
        (PrincipalPattern.everyone, true), (.account(id: "111122223333"), true), (.account(id: "444455556666"), false),
        (.user(arn: "arn:aws:iam::111122223333:user/team/alice"), true),
        (.user(arn: "arn:aws:iam::111122223333:user/alice"), false),
        (.role(arn: "arn:aws:iam::111122223333:role/ops/deploy"), true),
        (.role(arn: "arn:aws:iam::111122223333:role/deploy"), false),
        (.roleSession(arn: "arn:aws:sts::111122223333:assumed-role/deploy/any"), true),
        (.roleSession(arn: "arn:aws:sts::111122223333:assumed-role/other/any"), false),
        (.federatedUser(arn: "arn:aws:sts::111122223333:federated-user/any"), true),
        (.federatedUser(arn: "arn:aws:sts::444455556666:federated-user/any"), false),
        (.uniqueID("AIDACKCEVSQ6C2EXAMPLE"), true), (.uniqueID("AROADBQP57FF2AEXAMPLE"), true),
        (.uniqueID("AROADBQP57FF2AEXAMPLF"), false), (.service("ec2.amazonaws.com"), true),
        (.federated("accounts.google.com"), true),
    ])
    func `A pattern exists when whoever it names does`(_ pattern: PrincipalPattern, _ exists: Bool) {
        #expect(pattern.exists(in: people.directory) == exists)
    }

    @Test func `A policy tells whom it names that nobody is, each once`() throws {
        let policy = try PolicyDocument(
            parsing: """
                {"Statement":[
                 {"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:user/bob","111122223333",
                  "arn:aws:iam::111122223333:user/bob"]},"Action":"kms:*","Resource":"*"},
                 {"Effect":"Deny","NotPrincipal":{"AWS":["999999999999","arn:aws:iam::111122223333:user/bob"],
                  "Service":"ec2.amazonaws.com"},"Action":"kms:*","Resource":"*"}]}
                """, as: .keyPolicy)
        #expect(
            policy.unknownPrincipals(in: people.directory)
                == [.user(arn: "arn:aws:iam::111122223333:user/bob"), .account(id: "999999999999")])
    }

    @Test func `A later entry of the same ARN takes the place of the earlier one, unique id and all`() {
        var directory = people.directory
        var renewed = people.deploy
        renewed.uniqueID = "AROAAAAAAAAAAAAAAAAAA"
        directory.add(renewed)
        #expect(directory.allRoles.map(\.uniqueID) == ["AROAAAAAAAAAAAAAAAAAA"])
        #expect(!directory.hasUniqueID("AROADBQP57FF2AEXAMPLE"))
        let session = directory.role(ofSession: "arn:aws:sts::111122223333:assumed-role/deploy/ci-1")
        #expect(session?.uniqueID == "AROAAAAAAAAAAAAAAAAAA")
    }

    @Test func `Merging adds everyone of the other directory`() {
        var other = PrincipalDirectory()
        other.add(PrincipalDirectory.Account(id: "444455556666"))
        other.add(PrincipalDirectory.Account(id: "111122223333"))
        other.add(user: .root(of: "444455556666"))
        var directory = people.directory
        directory.merge(other)
        #expect(directory.account("444455556666") != nil)
        #expect(directory.account("111122223333")?.organizationID == nil, "the other directory's account")
        #expect(directory.allUsers.count == 2)
        #expect(directory.role(people.deploy.arn) == people.deploy)
        #expect(directory.hasUniqueID("444455556666"))
    }
}
