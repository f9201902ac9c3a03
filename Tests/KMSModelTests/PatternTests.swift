import KMSModel
import Testing

@Suite struct PatternTests {
    @Test func `Every pattern of the service model is understood`() {
        let patterns = TextConstraint.all.compactMap(\.pattern)
        #expect(patterns.count >= 10)
        for pattern in patterns { #expect(pattern.isUnderstood, "\(pattern.source)") }
    }

    @Test(arguments: [
        (#"[\w]+"#, ["default", "A_9"], ["\u{E9}", "a b", "", "default\n", "\u{661}"]),
        (
            #"^([a-z]+-){2,3}\d+$"#, ["us-east-1", "us-gov-west-1"],
            ["us-east-1\n", "us-east-\u{661}", "xus east-1", "us-1"]
        ),
        (#"[\u0020-\u00FF]*"#, ["", "abc \u{FF}"], ["\u{100}", "\t", "a\n"]),
        (#"[0-9]{12}"#, ["123456789012"], ["1234567890123", "12345678901", "12345678901\u{662}"]),
        (#"^[a-zA-Z0-9:/_\s.-]+$"#, ["a b\tc\n", "x.-"], ["\u{A0}", "\u{2003}", "", "a\u{85}"]),
        (#"^(a)$|^(b)$"#, ["a", "b"], ["ab", "a\n", "c"]),
        (#"^[a-zA-Z0-9-_.]+$"#, ["a-b_c.9"], ["a/b", ""]),
        (#"^[\w+=,.@:/-]+$"#, ["arn:aws:iam::111122223333:role/R+=,.@-_"], ["a b", "\u{430}"]),
        (#"\\w"#, [#"\w"#], ["a"]),
    ])
    func `A pattern is ASCII as in Java and matches the whole text`(_ source: String, _ good: [Text], _ bad: [Text]) {
        let pattern = Pattern(source)
        for text in good { #expect(pattern.matches(text), "\(source) against \(text)") }
        for text in bad { #expect(!pattern.matches(text), "\(source) against \(text)") }
    }

    @Test func `A pattern that is none matches nothing`() {
        let pattern = Pattern("[")
        #expect(!pattern.isUnderstood)
        #expect(!pattern.matches("["))
    }

    @Test func `The longest policy is matched`() throws {
        let policy = String(repeating: "a", count: 131_072)
        #expect(
            try PutKeyPolicyRequest.decode([UInt8](#"{"KeyId":"a","Policy":"\#(policy)"}"#.utf8)).policy.scalarCount
                == 131_072)
        #expect(throws: KMSError.self) {
            try PutKeyPolicyRequest.decode([UInt8](#"{"KeyId":"a","Policy":"\#(policy)a"}"#.utf8))
        }
    }

    @Test func `A byte pattern wants at least one byte, and every byte in its set`() {
        let pattern = BytePattern("^[A-Z2-7]+$", [0x41...0x5A, 0x32...0x37])
        func matches(_ text: String) -> Bool { pattern.matches([UInt8](text.utf8).span) }
        #expect(matches("ABZ234567"))
        for text in ["", "a", "A1", "A8", "A\n", "\u{C1}"] { #expect(!matches(text)) }
    }
}
