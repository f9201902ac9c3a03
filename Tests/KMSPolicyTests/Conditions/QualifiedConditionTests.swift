import KMSModel
import KMSPolicy
import Testing

/// IAM User Guide, "Set operators for multivalued context keys".
@Suite struct QualifiedConditionTests {
    @Test(
        arguments: [
            ("ForAllValues:StringEquals", ["a", "b"], ["a"], true),
            ("ForAllValues:StringEquals", ["a", "b"], ["b", "a"], true),
            ("ForAllValues:StringEquals", ["a", "b"], ["a", "c"], false),
            ("ForAllValues:StringEquals", ["a"], [], true),
            ("ForAllValues:StringEquals", ["a"], [""], true), ("ForAllValues:StringEquals", [], ["a"], false),
            ("ForAnyValue:StringEquals", ["a", "b"], ["b", "c"], true),
            ("ForAnyValue:StringEquals", ["a"], ["c", "d"], false),
            ("ForAnyValue:StringEquals", ["a"], [], false), ("ForAnyValue:StringLike", ["*"], [""], false),
            ("ForAllValues:StringLike", ["key1*", "key2*"], ["key1x", "key2"], true),
            ("ForAnyValue:StringLike", ["env*"], ["x", "environment"], true),
            // A negated operator passes a value that differs from all of the policy's.
            ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "d"], true),
            ("ForAllValues:StringNotEquals", ["a", "b"], ["c", "a"], false),
            ("ForAllValues:StringNotEquals", ["a"], [], true),
            ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], false),
            ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "c"], true),
            ("ForAnyValue:StringNotEquals", ["a"], [], false),
            ("ForAnyValue:StringNotLike", ["a*"], ["ab", "ac"], false),
            ("ForAllValues:StringNotLike", ["a*"], ["b", "ac"], false),
        ] as [(Text, [Text], [Text], Bool)])
    func `Set operators pass each or any value of the request`(
        name: Text, wanted: [Text], values: [Text], holds: Bool
    ) throws {
        #expect(try evaluate(name, "aws:TagKeys", wanted, ["aws:TagKeys": values]) == (holds ? .yes : .no))
    }

    @Test func `An absent key passes ForAllValues and fails ForAnyValue, negated or not`() throws {
        for test in ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike"] {
            #expect(try evaluate(Text("ForAllValues:\(test)"), "aws:TagKeys", ["a"]) == .yes)
            #expect(try evaluate(Text("ForAnyValue:\(test)"), "aws:TagKeys", ["a"]) == .no)
            #expect(try evaluate(Text("ForAllValues:\(test)IfExists"), "aws:TagKeys", ["a"]) == .yes)
            #expect(try evaluate(Text("ForAnyValue:\(test)IfExists"), "aws:TagKeys", ["a"]) == .yes)
        }
    }

    @Test func `Null makes ForAllValues ask for a value`() throws {
        for values in [[], [""]] as [[Text]] {
            #expect(try evaluate("ForAllValues:StringEquals", "aws:TagKeys", ["a"], ["aws:TagKeys": values]) == .yes)
            #expect(try evaluate("Null", "aws:TagKeys", ["false"], ["aws:TagKeys": values]) == .no)
        }
    }

    @Test func `Without a set operator several values are unknown`() throws {
        let request: KeyValuePairs<String, [Text]> = ["kms:EncryptionContextKeys": ["a", "b"]]
        #expect(try evaluate("StringEquals", "kms:EncryptionContextKeys", ["a"], request) == .unknown)
        #expect(try evaluate("StringNotEquals", "kms:EncryptionContextKeys", ["c"], request) == .unknown)
        #expect(try evaluate("StringEqualsIfExists", "kms:EncryptionContextKeys", ["a"], request) == .unknown)
        #expect(
            try evaluate("StringEquals", "kms:EncryptionContextKeys", ["a"], ["kms:EncryptionContextKeys": ["a"]])
                == .yes)
        #expect(try evaluate("StringEquals", "aws:TagKeys", ["a"], ["aws:TagKeys": []]) == .no)
        #expect(try evaluate("StringNotEquals", "aws:TagKeys", ["a"], ["aws:TagKeys": []]) == .yes)
    }

    @Test func `A definite answer for one value wins over an unknown one`() throws {
        let wanted: [Text] = ["${aws:username}", "a"]
        let request: KeyValuePairs<String, [Text]> = ["aws:TagKeys": ["a", "b"]]
        #expect(try evaluate("ForAnyValue:StringEquals", "aws:TagKeys", wanted, request) == .yes)
        #expect(try evaluate("ForAllValues:StringEquals", "aws:TagKeys", wanted, request) == .unknown)
        #expect(try evaluate("ForAnyValue:StringNotEquals", "aws:TagKeys", wanted, request) == .unknown)
        #expect(try evaluate("ForAllValues:StringNotEquals", "aws:TagKeys", wanted, request) == .no)
    }

    @Test(
        arguments: [
            "", "Equals", "stringequals", "STRINGEQUALS", "StringEqual", "StringEqualsIfExist", "IfExists",
            "ForAllValues:",
            "ForAnyValues:StringEquals", "forallvalues:StringEquals", "ForAllValues:ForAnyValue:StringEquals",
            "ForAllValues: StringEquals", "StringEqualsIfExistsIfExists", "NullIfExists", "ForAllValues:Null",
            "ForAnyValue:Null", "BinaryNotEquals", "BoolNot", "StringNotEqualsIgnorecase",
        ] as [Text])
    func `Operators that do not exist are refused`(name: Text) {
        #expect(refusal(name, "aws:TagKeys", ["true"])?.code == .malformed)
    }

    @Test func `Null takes true and false only`() {
        #expect(refusal("Null", "aws:TagKeys", ["yes"]) != nil)
        #expect(refusal("Null", "aws:TagKeys", ["${aws:username}"]) != nil)
    }

    @Test func `A malformed variable or an unknown key in a value is refused`() {
        #expect(refusal("StringEquals", "aws:TagKeys", ["${aws:username"]) != nil)
        #expect(
            refusal("StringEquals", "aws:TagKeys", ["ok", "${kms:Nonsense}"])?.description.contains("kms:Nonsense")
                == true)
        #expect(refusal("NumericEquals", "aws:TagKeys", ["${"]) != nil)
        #expect(refusal("StringEquals", "kms:Nonsense", ["a"])?.description.contains("kms:Nonsense") == true)
    }

    @Test func `What KMS calls overly permissive is known`() throws {
        func isOverlyPermissive(_ name: Text, _ key: Text) throws -> Bool {
            try Condition(operatorName: name, keyName: key, values: ["a"], version: .version2012).isOverlyPermissive
        }
        #expect(try isOverlyPermissive("ForAllValues:StringEquals", "kms:EncryptionContext:dept"))
        #expect(try isOverlyPermissive("ForAllValues:StringLikeIfExists", "aws:RequestTag/dept"))
        #expect(try !isOverlyPermissive("ForAllValues:StringEquals", "kms:EncryptionContextKeys"))
        #expect(try !isOverlyPermissive("ForAnyValue:StringEquals", "kms:EncryptionContext:dept"))
        #expect(try !isOverlyPermissive("StringEquals", "kms:EncryptionContext:dept"))
    }
}
