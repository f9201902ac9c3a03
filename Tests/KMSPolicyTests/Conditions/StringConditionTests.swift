import KMSModel
import KMSPolicy
import Testing

@Suite struct StringConditionTests {
    private let dept: Text = "kms:EncryptionContext:dept"

    @Test(
        arguments: [
            ("StringEquals", ["hr"], "hr", true), ("StringEquals", ["hr"], "HR", false),
            ("StringEquals", ["it", "hr"], "hr", true), ("StringEquals", ["h*"], "hr", false),
            ("StringEquals", [], "hr", false), ("StringEquals", [""], "", true),
            ("StringNotEquals", ["hr"], "hr", false), ("StringNotEquals", ["hr"], "HR", true),
            ("StringNotEquals", ["it", "hr"], "hr", false), ("StringNotEquals", ["it", "hr"], "x", true),
            ("StringNotEquals", [], "hr", true),
            ("StringEqualsIgnoreCase", ["HR"], "hr", true), ("StringEqualsIgnoreCase", ["Ärger"], "äRGER", true),
            ("StringEqualsIgnoreCase", ["hr"], "h", false), ("StringNotEqualsIgnoreCase", ["HR"], "hr", false),
            ("StringNotEqualsIgnoreCase", ["HR"], "it", true),
            ("StringLike", ["h*"], "hr", true), ("StringLike", ["h?"], "hr", true), ("StringLike", ["H*"], "hr", false),
            ("StringLike", ["hr"], "hrx", false), ("StringLike", ["x", "*r"], "hr", true),
            ("StringNotLike", ["h*"], "hr", false), ("StringNotLike", ["x*", "y*"], "hr", true),
        ] as [(Text, [Text], Text, Bool)])
    func `Strings are compared as the operator says, with any of the values`(
        operatorName: Text, wanted: [Text], value: Text, holds: Bool
    ) throws {
        #expect(
            try evaluate(operatorName, dept, wanted, ["kms:EncryptionContext:dept": [value]]) == (holds ? .yes : .no))
    }

    @Test func `Strings are compared by their bytes`() throws {
        #expect(try evaluate("StringEquals", dept, ["\u{E9}"], ["kms:EncryptionContext:dept": ["e\u{301}"]]) == .no)
    }

    @Test(
        arguments: [
            ("StringEquals", "StringNotEquals"), ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"),
            ("StringLike", "StringNotLike"), ("ArnEquals", "ArnNotEquals"), ("ArnLike", "ArnNotLike"),
        ] as [(Text, Text)])
    func `An absent key fails an operator and passes its negation`(positive: Text, negated: Text) throws {
        let value: [Text] = ["arn:aws:iam::111122223333:role/x"]
        #expect(try evaluate(positive, dept, value) == .no)
        #expect(try evaluate(negated, dept, value) == .yes)
        #expect(try evaluate(Text("\(positive)IfExists"), dept, value) == .yes)
        #expect(try evaluate(Text("\(negated)IfExists"), dept, value) == .yes)
    }

    @Test func `With IfExists a key that is there is compared`() throws {
        #expect(try evaluate("StringEqualsIfExists", dept, ["hr"], ["kms:EncryptionContext:dept": ["hr"]]) == .yes)
        #expect(try evaluate("StringEqualsIfExists", dept, ["hr"], ["kms:EncryptionContext:dept": ["it"]]) == .no)
        #expect(try evaluate("StringNotEqualsIfExists", dept, ["hr"], ["kms:EncryptionContext:dept": ["hr"]]) == .no)
    }

    @Test func `Values may have variables`() throws {
        #expect(
            try evaluate(
                "StringEquals", dept, ["${aws:PrincipalTag/dept}"],
                ["kms:EncryptionContext:dept": ["hr"], "aws:PrincipalTag/dept": ["hr"]]) == .yes)
        #expect(
            try evaluate(
                "StringEquals", dept, ["${aws:PrincipalTag/dept}"],
                ["kms:EncryptionContext:dept": ["hr"], "aws:PrincipalTag/dept": ["it"]]) == .no)
        #expect(
            try evaluate(
                "StringLike", dept, ["${aws:PrincipalTag/dept}-*"],
                ["kms:EncryptionContext:dept": ["*-x"], "aws:PrincipalTag/dept": ["*"]]) == .yes)
        #expect(
            try evaluate(
                "StringLike", dept, ["${aws:PrincipalTag/dept}"],
                ["kms:EncryptionContext:dept": ["hr"], "aws:PrincipalTag/dept": ["*"]]) == .no)
        #expect(
            try evaluate(
                "StringEqualsIgnoreCase", dept, ["${aws:username}"],
                ["kms:EncryptionContext:dept": ["ALICE"], "aws:username": ["Alice"]]) == .yes)
        #expect(
            try evaluate(
                "StringEquals", dept, ["${aws:username, 'nobody'}"], ["kms:EncryptionContext:dept": ["nobody"]])
                == .yes)
        #expect(try evaluate("StringEquals", dept, ["a${*}"], ["kms:EncryptionContext:dept": ["a*"]]) == .yes)
    }

    @Test func `A variable without value is unknown, unless another value fits`() throws {
        let request: KeyValuePairs<String, [Text]> = ["kms:EncryptionContext:dept": ["hr"]]
        #expect(try evaluate("StringEquals", dept, ["${aws:username}"], request) == .unknown)
        #expect(try evaluate("StringNotEquals", dept, ["${aws:username}"], request) == .unknown)
        #expect(try evaluate("StringEquals", dept, ["${aws:username}", "hr"], request) == .yes)
        #expect(try evaluate("StringEquals", dept, ["hr", "${aws:username}"], request) == .yes)
        #expect(try evaluate("StringEquals", dept, ["${aws:username}", "it"], request) == .unknown)
        #expect(try evaluate("StringNotEquals", dept, ["${aws:username}", "hr"], request) == .no)
        // Nothing to compare with, so the variable does not come into it.
        #expect(try evaluate("StringEquals", dept, ["${aws:username}"]) == .no)
        #expect(try evaluate("StringEqualsIfExists", dept, ["${aws:username}"]) == .yes)
    }

    @Test func `In the older version of the language a variable is text`() throws {
        let condition = try Condition(
            operatorName: "StringEquals", keyName: dept, values: ["${aws:username}"], version: .version2008)
        #expect(condition.evaluate(in: ConditionRequest(["kms:EncryptionContext:dept": ["${aws:username}"]])) == .yes)
        #expect(condition.evaluate(in: ConditionRequest(["kms:EncryptionContext:dept": ["a"]])) == .no)
    }

    @Test(
        arguments: [
            ("arn:aws:iam::111122223333:role/dev", "arn:aws:iam::111122223333:role/dev", true),
            ("arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/a/b", true),
            ("arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:user/a", false),
            // The example of the IAM User Guide, "ARN condition operators".
            (
                "arn:aws:someservice:*:111122223333:finance/*",
                "arn:aws:someservice:us-east-2:999999999999:store/abc:111122223333:finance/document.txt", false
            ),
            ("arn:aws:x:::a:b*", "arn:aws:x:::a:b:c", true), ("arn:aws:x:::a", "arn:aws:x:::a:b", false),
            ("arn:aws:kms:us-?ast-1:111122223333:key/*", "arn:aws:kms:us-east-1:111122223333:key/x", true),
            ("*:*:*:*:*:*", "arn:aws:iam::111122223333:root", true),
            ("arn:aws:iam::111122223333:ROLE/dev", "arn:aws:iam::111122223333:role/dev", false),
        ] as [(Text, Text, Bool)])
    func `ARNs are compared part by part, wildcards included`(pattern: Text, value: Text, holds: Bool) throws {
        for name in ["ArnEquals", "ArnLike"] as [Text] {
            #expect(
                try evaluate(name, "aws:PrincipalArn", [pattern], ["aws:PrincipalArn": [value]]) == (holds ? .yes : .no)
            )
        }
        for name in ["ArnNotEquals", "ArnNotLike"] as [Text] {
            #expect(
                try evaluate(name, "aws:PrincipalArn", [pattern], ["aws:PrincipalArn": [value]]) == (holds ? .no : .yes)
            )
        }
    }

    @Test func `A variable in an ARN cannot widen it`() throws {
        let pattern: [Text] = ["arn:aws:iam::111122223333:user/${aws:PrincipalTag/name}"]
        let arn: Text = "arn:aws:iam::111122223333:user/alice"
        #expect(
            try evaluate(
                "ArnLike", "aws:PrincipalArn", pattern, ["aws:PrincipalArn": [arn], "aws:PrincipalTag/name": ["alice"]])
                == .yes)
        #expect(
            try evaluate(
                "ArnLike", "aws:PrincipalArn", pattern, ["aws:PrincipalArn": [arn], "aws:PrincipalTag/name": ["*"]])
                == .no)
        #expect(
            try evaluate(
                "ArnEquals", "kms:GranteePrincipal", ["${aws:PrincipalArn}"],
                [
                    "kms:GranteePrincipal": [arn], "aws:PrincipalArn": [arn],
                ]) == .yes)
        #expect(
            try evaluate(
                "ArnEquals", "kms:GranteePrincipal", ["${aws:username}"],
                [
                    "kms:GranteePrincipal": [arn], "aws:username": ["alice"],
                ]) == .unknown)
    }

    @Test func `What is no ARN in the request is unknown, in the policy refused`() throws {
        let pattern: [Text] = ["arn:aws:iam::111122223333:root"]
        #expect(try evaluate("ArnEquals", "aws:PrincipalArn", pattern, ["aws:PrincipalArn": ["alice"]]) == .unknown)
        #expect(try evaluate("ArnNotEquals", "aws:PrincipalArn", pattern, ["aws:PrincipalArn": ["alice"]]) == .unknown)
        #expect(refusal("ArnEquals", "aws:PrincipalArn", ["alice"]) != nil)
        #expect(refusal("ArnNotLike", "aws:PrincipalArn", ["arn:aws:iam::*"]) != nil)
    }
}
