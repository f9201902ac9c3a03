import KMSModel
import KMSPolicy
import Testing

@Suite struct ConditionExplanationTests {
    /// What follows the operator and the key.
    private func explanation(
        _ name: Text, _ wanted: [Text], _ request: KeyValuePairs<String, [Text]>
    ) throws -> String {
        let condition = try Condition(
            operatorName: name, keyName: "KMS:encryptioncontext:dept", values: wanted, version: .version2012)
        let text = condition.explanation(in: ConditionRequest(request))
        let beginning = "\(name) kms:EncryptionContext:dept: "
        #expect(text.hasPrefix(beginning))
        return String(text.dropFirst(beginning.count))
    }

    @Test func `It says what is wanted and what the request has`() throws {
        #expect(
            try explanation("StringEquals", ["finance"], ["kms:EncryptionContext:dept": ["hr"]])
                == #"wanted "finance", the request has "hr""#)
        #expect(
            try explanation("StringEquals", ["finance"], [:]) == #"wanted "finance", the request does not have it"#)
        #expect(
            try explanation("StringNotLike", ["a*", "b"], ["kms:EncryptionContext:dept": ["ab"]])
                == #"wanted anything but "a*" or "b", the request has "ab""#)
        #expect(
            try explanation("NumericLessThanEquals", ["3"], ["kms:EncryptionContext:dept": ["4"]])
                == #"wanted at most "3", the request has "4""#)
        #expect(
            try explanation("Null", ["true"], ["kms:EncryptionContext:dept": ["x"]])
                == #"wanted that the key is absent, the request has "x""#)
        #expect(
            try explanation(
                "ForAnyValue:StringEquals", ["1", "2", "3", "4", "5"],
                [
                    "kms:EncryptionContext:dept": ["x", "y"]
                ]) == #"wanted "1" or "2" or "3" or 2 more, the request has "x", "y""#)
        #expect(
            try explanation("ForAnyValue:StringEquals", ["1"], ["kms:EncryptionContext:dept": []])
                == #"wanted "1", the request has an empty list"#)
    }

    @Test func `It says why the answer is unknown`() throws {
        #expect(
            try explanation("NumericEquals", ["3"], ["kms:EncryptionContext:dept": ["x"]])
                == #"wanted "3", the request has "x", and "x" is not a number"#)
        #expect(
            try explanation("StringEquals", ["${aws:username}"], ["kms:EncryptionContext:dept": ["x"]])
                .hasSuffix(#"the request has "x", and a policy variable has no fitting value in this request"#))
        #expect(
            try explanation("StringEquals", ["x"], ["kms:EncryptionContext:dept": ["x", "y"]])
                .hasSuffix("several values can be compared with ForAnyValue or ForAllValues only"))
    }

    @Test func `It is one short line whatever the texts are`() throws {
        let long = Text("\n\u{202E}\"" + String(repeating: "ä", count: 5000))
        let text = try explanation("StringEquals", [long, long], ["kms:EncryptionContext:dept": [long]])
        #expect(text.count < 350)
        #expect(text.hasPrefix(#"wanted "\u{a}\u{202e}\"ää"#))
        #expect(!text.unicodeScalars.contains { $0 == "\n" || $0 == "\u{202E}" })
    }
}
