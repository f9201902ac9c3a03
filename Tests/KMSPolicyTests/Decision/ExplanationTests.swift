import KMSModel
import KMSPolicy
import Testing

struct `An explanation` {
    private static func explanation(_ row: [String: Any]) throws -> Explanation {
        var row = row
        row["name"] = "test"
        if row["holds"] == nil { row["expect"] = "" }
        let parsed = try CaseTable().row(row, "test")
        return explain(parsed.query, parsed.conditions)
    }

    @Test
    func `names the statement that allows, with its number and Sid`() throws {
        let explanation = try Self.explanation([
            "principal": "alice", "resourcePolicy": "aliceOnly", "action": "kms:Encrypt",
        ])
        #expect(explanation.summary == "allowed by statement 1 \"Alice\" of the key policy")
        #expect(explanation.statements.map(\.detail) == ["matches; no identity policy is needed"])
    }

    @Test
    func `says that the key policy leaves it to the account, and who is silent`() throws {
        let explanation = try Self.explanation([
            "principal": "alice", "identity": ["ReadOnly"], "resourcePolicy": "default", "action": "kms:Encrypt",
        ])
        #expect(
            explanation.summary
                == "denied: the key policy leaves it to account 111122223333, and no identity policy of "
                + "arn:aws:iam::111122223333:user/alice allows kms:Encrypt on \(CaseTable.keyARN)")
        #expect(
            explanation.statements.map(\.detail) == [
                "matches the account: its identity policies decide", "Action does not list kms:Encrypt",
            ])
        #expect(explanation.statements.map(\.outcome) == [.matched, .doesNotMatch(.action)])
    }

    @Test
    func `names both statements of a delegation`() throws {
        let explanation = try Self.explanation([
            "principal": "alice", "identity": ["EncryptWithThisKey"], "resourcePolicy": "default",
            "action": "kms:Encrypt",
        ])
        #expect(
            explanation.summary
                == "allowed by statement 1 \"Encrypt\" of the identity policy EncryptWithThisKey, together with "
                + "statement 1 \"Enable IAM User Permissions\" of the key policy, which leaves it to the account")
    }

    @Test
    func `says which element of a statement does not match`() throws {
        let explanation = try Self.explanation([
            "principal": "bob", "identity": ["EncryptWithAnotherKey", "OwnProject"], "resourcePolicy": "aliceOnly",
            "action": "kms:Encrypt",
        ])
        #expect(
            explanation.statements.map(\.outcome) == [
                .doesNotMatch(.principal), .doesNotMatch(.resource), .doesNotMatch(.condition),
            ])
        #expect(
            explanation.statements[0].detail
                == "Principal names neither arn:aws:iam::111122223333:user/team/bob nor what it belongs to")
        #expect(explanation.statements[1].detail == "Resource does not match \(CaseTable.keyARN)")
        #expect(explanation.statements[2].detail.contains("aws:ResourceTag/project"))
        #expect(
            explanation.summary
                == "denied: neither the key policy nor a grant lets arn:aws:iam::111122223333:user/team/bob do "
                + "kms:Encrypt on \(CaseTable.keyARN)")
    }

    @Test
    func `says that a Deny denies because it cannot be evaluated`() throws {
        let explanation = try Self.explanation([
            "denyWhen": ["StringEquals": ["kms:EncryptionContextKeys": "x"]], "holds": true,
            "context": ["kms:EncryptionContextKeys": ["a", "b"]],
        ])
        #expect(explanation.statements.map(\.outcome) == [.matched, .cannotBeEvaluated(.condition)])
        #expect(
            explanation.summary
                == "denied by statement 2 of the key policy, which cannot be evaluated for this request and therefore "
                + "denies")
    }

    @Test
    func `says whom a NotPrincipal would have to list`() throws {
        let explanation = try Self.explanation([
            "principal": "deploy", "action": "kms:Encrypt",
            "resourcePolicy": [
                [
                    "Effect": "Deny", "NotPrincipal": ["AWS": "arn:aws:iam::111122223333:role/deploy"],
                    "Action": "kms:*", "Resource": "*",
                ] as [String: Any]
            ],
        ])
        #expect(
            explanation.statements[0].detail
                == "matches: NotPrincipal does not exempt arn:aws:sts::111122223333:assumed-role/deploy/ci, of whom it "
                + "would have to list session, role and account")
    }

    @Test
    func `says why each grant does not cover`() throws {
        let explanation = try Self.explanation([
            "principal": "bob", "resourcePolicy": "aliceOnly", "action": "kms:Decrypt",
            "encryptionContext": ["Department": "HR"],
            "grants": [
                ["id": "g1", "grantee": "carol", "operations": ["Decrypt"]],
                ["id": "g2", "grantee": "bob", "operations": ["Encrypt"]],
                ["id": "g3", "grantee": "bob", "operations": ["Decrypt"], "equals": ["Department": "IT"]],
                ["id": "g4", "grantee": "bob", "operations": ["Decrypt"], "subset": ["Department": "IT"]],
            ] as [Any],
        ])
        #expect(
            explanation.grants.map(\.detail) == [
                "its grantee is neither arn:aws:iam::111122223333:user/team/bob nor what it belongs to",
                "its operations do not include Decrypt",
                "EncryptionContextEquals is not the encryption context of the request",
                "the encryption context of the request does not have all pairs of EncryptionContextSubset",
            ])
        #expect(explanation.grants.allSatisfy { !$0.covers })
    }

    @Test(arguments: [
        ("carol", "otherAccount", "the key policy would let arn:aws:iam::444455556666:user/carol, but across accounts"),
        ("otherRoot", "otherAccount", "a root user needs no identity policy"),
        ("root", "unreadable", "the key policy could not be read"),
    ])
    func `says what is particular about the case`(principal: String, policy: String, part: String) throws {
        let explanation = try Self.explanation([
            "principal": principal, "resourcePolicy": policy, "action": "kms:Decrypt",
        ])
        #expect(explanation.summary.contains(part), "\(explanation.summary)")
    }
}
