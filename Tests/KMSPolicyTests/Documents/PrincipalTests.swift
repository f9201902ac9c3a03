import KMSModel
import KMSPolicy
import Testing

@Suite struct PrincipalTests {
    private let people = People()

    private func values(_ principal: Principal, _ key: KnownConditionKey) -> ConditionValues? {
        principal.values(of: .known(key))
    }

    // MARK: Matching

    @Test func `A user is matched by account, ARN and unique id`() {
        let alice = people.alice
        #expect(alice.match(.everyone) == .everyone)
        #expect(alice.match(.account(id: "111122223333")) == .account)
        #expect(alice.match(.user(arn: "arn:aws:iam::111122223333:user/team/alice")) == .user)
        #expect(alice.match(.uniqueID("AIDACKCEVSQ6C2EXAMPLE")) == .user)
    }

    @Test(arguments: [
        PrincipalPattern.account(id: "444455556666"), .user(arn: "arn:aws:iam::111122223333:user/alice"),
        .user(arn: "arn:aws:iam::111122223333:user/team/Alice"), .uniqueID("AIDACKCEVSQ6C2EXAMPLF"),
        .role(arn: "arn:aws:iam::111122223333:user/team/alice"),
        .roleSession(arn: "arn:aws:iam::111122223333:user/team/alice"), .service("ec2.amazonaws.com"),
        .federated("accounts.google.com"), .federatedUser(arn: "arn:aws:sts::111122223333:federated-user/alice"),
    ])
    func `A user is matched by nothing else`(_ pattern: PrincipalPattern) {
        #expect(people.alice.match(pattern) == nil)
    }

    @Test func `A session is matched by its role more loosely than by itself`() throws {
        let session = people.session()
        #expect(session.match(.roleSession(arn: "arn:aws:sts::111122223333:assumed-role/deploy/ci-1")) == .session)
        #expect(session.match(.role(arn: "arn:aws:iam::111122223333:role/ops/deploy")) == .role)
        #expect(session.match(.uniqueID("AROADBQP57FF2AEXAMPLE")) == .role)
        #expect(session.match(.account(id: "111122223333")) == .account)
        #expect(session.match(.everyone) == .everyone)
        #expect(session.match(.roleSession(arn: "arn:aws:sts::111122223333:assumed-role/deploy/ci-2")) == nil)
        #expect(session.match(.role(arn: "arn:aws:iam::111122223333:role/deploy")) == nil)
        #expect(session.match(.user(arn: session.arn)) == nil)
        #expect(PrincipalMatch.everyone < .account && PrincipalMatch.account < .role)
        #expect(PrincipalMatch.role < .user && PrincipalMatch.user < .session)
    }

    @Test func `The account stands for its root user himself, and for others only lets them`() {
        let root = Principal.root(of: "111122223333")
        #expect(root.match(.account(id: "111122223333")) == .user)
        #expect(root.match(.account(id: "444455556666")) == nil)
        #expect(root.match(.user(arn: root.arn)) == nil)
        #expect(root.match(.everyone) == .everyone)
    }

    // MARK: Condition keys

    @Test func `A user has the condition keys of a user`() {
        let alice = people.alice
        #expect(values(alice, .principalARN) == .single("arn:aws:iam::111122223333:user/team/alice"))
        #expect(values(alice, .principalAccount) == .single("111122223333"))
        #expect(values(alice, .callerAccount) == .single("111122223333"))
        #expect(values(alice, .principalType) == .single("User"))
        #expect(values(alice, .userID) == .single("AIDACKCEVSQ6C2EXAMPLE"))
        #expect(values(alice, .userName) == .single("alice"))
        #expect(values(alice, .principalOrgID) == .single("o-a1b2c3d4e5"))
        #expect(values(alice, .principalIsAWSService) == .single("false"))
        for absent: KnownConditionKey in [.tokenIssueTime, .multiFactorAuthPresent, .sourceIdentity] {
            #expect(values(alice, absent) == nil)
        }
    }

    @Test func `A session has the condition keys of its role and its own`() {
        let session = people.session()
        #expect(values(session, .principalARN) == .single("arn:aws:iam::111122223333:role/ops/deploy"))
        #expect(values(session, .principalType) == .single("AssumedRole"))
        #expect(values(session, .userID) == .single("AROADBQP57FF2AEXAMPLE:ci-1"))
        #expect(values(session, .userName) == nil)
        #expect(values(session, .tokenIssueTime) == .single("2026-01-02T03:04:05Z"))
        #expect(values(session, .multiFactorAuthPresent) == .single("false"))
        #expect(values(session, .sourceIdentity) == .single("alice"))
        #expect(values(session, .principalOrgID) == nil)
    }

    @Test func `A root user has the condition keys of its account`() {
        let root = Principal.root(of: "111122223333", partition: "aws-cn", organizationID: "o-a1b2c3d4e5")
        #expect(root.arn == "arn:aws-cn:iam::111122223333:root")
        #expect(root.partition == "aws-cn")
        #expect(values(root, .principalARN) == .single(root.arn))
        #expect(values(root, .principalType) == .single("Account"))
        #expect(values(root, .userID) == .single("111122223333"))
        #expect(values(root, .userName) == nil)
        #expect(values(root, .multiFactorAuthPresent) == nil)
    }

    @Test(arguments: KnownConditionKey.allCases)
    func `No key is answered for that speaks of the request`(_ key: KnownConditionKey) {
        let ofPrincipals: Set<KnownConditionKey> = [
            .principalARN, .principalAccount, .callerAccount, .principalType, .userID, .userName, .principalOrgID,
            .principalIsAWSService, .tokenIssueTime, .multiFactorAuthPresent, .sourceIdentity,
        ]
        #expect(ofPrincipals.contains(key) || values(people.session(), key) == nil)
    }

    @Test func `Tags are found without case; two that differ in case only are both there`() {
        #expect(people.alice.values(of: .principalTag("project")) == .single("blue"))
        #expect(people.alice.values(of: .principalTag("PROJECT")) == .single("blue"))
        #expect(people.alice.values(of: .principalTag("projec")) == nil)
        #expect(people.alice.values(of: .requestTag("project")) == nil)
        let two = Principal(
            kind: .user(name: "b"), accountID: "111122223333", arn: "a", identityARN: "a", uniqueID: "u",
            tags: ["Key": "2", "key": "1", "KEY": "3"])
        #expect(two.values(of: .principalTag("key")) == .multiple(["1", "2", "3"]))
    }

    @Test func `Session tags override the role's, without case`() {
        let session = people.session(tags: ["Stage": "test", "extra": ""])
        #expect(session.tags == ["Stage": "test", "extra": "", "team": "ops"])
        #expect(people.session().tags == ["stage": "production", "team": "ops"])
    }

    // MARK: ARNs

    @Test func `Grants find a caller by his own names and his account's root`() {
        #expect(people.alice.grantARNs == [people.alice.arn, "arn:aws:iam::111122223333:root"])
        #expect(
            people.session().grantARNs == [
                "arn:aws:sts::111122223333:assumed-role/deploy/ci-1", "arn:aws:iam::111122223333:role/ops/deploy",
                "arn:aws:iam::111122223333:root",
            ])
        #expect(Principal.root(of: "111122223333").grantARNs == ["arn:aws:iam::111122223333:root"])
    }

    @Test func `Default unique ids have the form of unique ids and stay the same`() {
        let user = UniqueID.user(arn: "arn:aws:iam::111122223333:user/alice")
        #expect(user == UniqueID.user(arn: "arn:aws:iam::111122223333:user/alice"))
        #expect(user == "AIDASZYYC3HGISB4VPUTS")
        #expect(UniqueID.isUserOrRole(user))
        #expect(UniqueID.role(arn: "x").string.hasPrefix("AROA"))
        let many = Set((0..<20_000).map { UniqueID.user(arn: "arn:aws:iam::111122223333:user/u\($0)") })
        #expect(many.count == 20_000)
        #expect(many.allSatisfy { $0.utf8.count == 21 && UniqueID.isUserOrRole($0) })
    }
}
