import KMSModel
import KMSPolicy
import Testing

/// The forms that may stand under "AWS", which grants take too.
@Suite struct PrincipalPatternTests {
    @Test(
        arguments: [
            ("*", PrincipalPattern.everyone), ("111122223333", .account(id: "111122223333")),
            ("arn:aws:iam::111122223333:root", .account(id: "111122223333")),
            ("arn:aws-cn:iam::000000000000:root", .account(id: "000000000000")),
            ("arn:aws:iam::111122223333:user/a", .user(arn: "arn:aws:iam::111122223333:user/a")),
            (
                "arn:aws-us-gov:iam::111122223333:user/p/q:!/A_b+=,.@-9",
                .user(arn: "arn:aws-us-gov:iam::111122223333:user/p/q:!/A_b+=,.@-9")
            ),
            (
                "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/R",
                .role(arn: "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/R")
            ),
            (
                "arn:aws:sts::111122223333:assumed-role/R/me@example.com",
                .roleSession(arn: "arn:aws:sts::111122223333:assumed-role/R/me@example.com")
            ),
            (
                "arn:aws:sts::111122223333:federated-user/Bob",
                .federatedUser(arn: "arn:aws:sts::111122223333:federated-user/Bob")
            ),
            ("AIDACKCEVSQ6C2EXAMPLE", .uniqueID("AIDACKCEVSQ6C2EXAMPLE")),
            ("AROADBQP57FF2AEXAMPLE", .uniqueID("AROADBQP57FF2AEXAMPLE")),
        ] as [(Text, PrincipalPattern)])
    func `Every documented form is read`(_ text: Text, _ pattern: PrincipalPattern) throws {
        #expect(try PrincipalPattern(arnOrID: text) == pattern)
        #expect(try PrincipalPattern(arnOrID: pattern.text) == pattern)
    }

    @Test(arguments: [
        ("", "neither"), ("**", "wildcard"), ("?", "wildcard"), ("alice", "neither"), ("11112222333", "neither"),
        ("1111222233334", "neither"), ("11112222333\u{664}", "neither"), (" 111122223333", "neither"),
        ("AIDA", "neither"), ("AIDAckcevsq6c2example", "neither"), ("AKIAIOSFODNN7EXAMPLE", "neither"),
        ("arn:aws:iam::*:root", "wildcard"), ("arn:aws:iam::111122223333:*", "wildcard"),
        ("arn:aws:iam::111122223333:user/*", "wildcard"), ("arn:aws:iam::111122223333:user/a?", "wildcard"),
        ("arn:aws:sts::111122223333:assumed-role/R/*", "wildcard"), ("arn:aws:iam::111122223333", "neither"),
        ("ARN:aws:iam::111122223333:root", "neither"), ("arn:amazon:iam::111122223333:root", "unknown partition"),
        ("arn:aws:iam:us-east-1:111122223333:root", "Region"), ("arn:aws:iam:::root", "12 digits"),
        ("arn:aws:iam::aws:policy/AdministratorAccess", "12 digits"),
        ("arn:aws:iam::111122223333:group/admins", "is a group, which cannot be a principal"),
        ("arn:aws:iam::111122223333:root/x", "is no ARN of"), ("arn:aws:iam::111122223333:Root", "is no ARN of"),
        ("arn:aws:iam::111122223333:user", "is no ARN of"), ("arn:aws:iam::111122223333:user/", "is no ARN of"),
        ("arn:aws:iam::111122223333:user/a/", "is no ARN of"), ("arn:aws:iam::111122223333:user/a b", "is no ARN of"),
        ("arn:aws:iam::111122223333:user/p\u{0}/a", "is no ARN of"),
        ("arn:aws:iam::111122223333:policy/p", "is no ARN of"),
        ("arn:aws:iam::111122223333:mfa/a", "is no ARN of"), ("arn:aws:sts::111122223333:root", "is no ARN of"),
        ("arn:aws:iam::111122223333:saml-provider/x", "is no ARN of"),
        ("arn:aws:sts::111122223333:assumed-role/R", "is no ARN of"),
        ("arn:aws:sts::111122223333:assumed-role/p/R/s1", "is no ARN of"),
        ("arn:aws:sts::111122223333:assumed-role/R/s", "is no ARN of"),
        ("arn:aws:sts::111122223333:assumed-role/R/", "is no ARN of"),
        ("arn:aws:kms:us-east-1:111122223333:key/x", "Region"), ("arn:aws:s3::111122223333:root", "is no ARN of"),
        ("arn:aws:iam::111122223333:user/" + String(repeating: "a", count: 65), "is no ARN of"),
        ("arn:aws:iam::111122223333:user/" + String(repeating: "p/", count: 300) + "a", "is no ARN of"),
    ])
    func `What cannot be a principal is refused, and the refusal says why`(_ text: String, _ says: String) throws {
        do {
            _ = try PrincipalPattern(arnOrID: Text(text))
            Issue.record("taken: \(text)")
        } catch {
            #expect(error.code == .invalidPrincipal)
            #expect(error.description.contains(says), "\(error.description)")
        }
    }
}
