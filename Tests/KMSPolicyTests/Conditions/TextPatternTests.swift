import KMSModel
import KMSPolicy
import Testing

@Suite struct TextPatternTests {
    private func matches(
        _ pattern: Text, _ text: Text, _ request: KeyValuePairs<String, [Text]> = [:],
        version: PolicyDocument.Version = .version2012
    ) throws -> Truth {
        try TextPattern(pattern, version: version).matches(text, in: ConditionRequest(request))
    }

    @Test func `A variable stands for the value of its key`() throws {
        #expect(try matches("key/${aws:username}", "key/alice", ["aws:username": ["alice"]]) == .yes)
        #expect(try matches("key/${aws:username}", "key/bob", ["aws:username": ["alice"]]) == .no)
        #expect(try matches("${AWS:UserName}", "alice", ["aws:username": ["alice"]]) == .yes)
        #expect(try matches("${ aws:username }", "alice", ["aws:username": ["alice"]]) == .yes)
        #expect(
            try matches(
                "${aws:PrincipalTag/team}-${aws:username}*", "blue-alice-1",
                ["aws:username": ["alice"], "aws:PrincipalTag/team": ["blue"]]) == .yes)
    }

    @Test func `Wildcards in a value are literal, wildcards of the policy are not`() throws {
        #expect(try matches("${aws:username}", "alice", ["aws:username": ["*"]]) == .no)
        #expect(try matches("${aws:username}", "*", ["aws:username": ["*"]]) == .yes)
        #expect(try matches("${aws:username}*", "a?bc", ["aws:username": ["a?b"]]) == .yes)
        #expect(try matches("${aws:username}*", "axbc", ["aws:username": ["a?b"]]) == .no)
        #expect(try matches("${aws:username}", "${aws:userid}", ["aws:username": ["${aws:userid}"]]) == .yes)
    }

    @Test func `A variable without value makes the answer unknown, and a default prevents that`() throws {
        #expect(try matches("key/${aws:username}", "key/alice") == .unknown)
        #expect(try matches("*", "key/alice") == .yes)
        #expect(try matches("key/${aws:username, 'nobody'}", "key/nobody") == .yes)
        #expect(try matches("key/${aws:username,'nobody' }", "key/nobody") == .yes)
        #expect(try matches("key/${aws:username, 'nobody'}", "key/alice", ["aws:username": ["alice"]]) == .yes)
        #expect(try matches("key/${aws:username, ''}", "key/") == .yes)
        #expect(try matches("key/${aws:username, '}*'}", "key/}*") == .yes)
        #expect(try matches("key/${aws:username, '*'}", "key/alice") == .no)
        #expect(try matches("${aws:SourceVpce, 'none'}", "none") == .yes)
    }

    @Test func `A key with several values, or a key that is a list, is no variable`() throws {
        #expect(try matches("${aws:username}", "a", ["aws:username": ["a", "b"]]) == .unknown)
        #expect(try matches("${aws:username, 'x'}", "x", ["aws:username": ["a", "b"]]) == .unknown)
        #expect(try matches("${aws:TagKeys}", "a", ["aws:TagKeys": ["a"]]) == .unknown)
    }

    @Test func `The three characters that mean something can be written`() throws {
        #expect(try matches("a${*}b", "a*b") == .yes)
        #expect(try matches("a${*}b", "axb") == .no)
        #expect(try matches("a${?}b", "a?b") == .yes)
        #expect(try matches("a${?}b", "axb") == .no)
        #expect(try matches("${$}{aws:username}", "${aws:username}") == .yes)
        #expect(try matches("cost $5 {x}", "cost $5 {x}") == .yes)
        #expect(try matches("$", "$") == .yes)
    }

    @Test func `The older version of the language has no variables`() throws {
        #expect(try matches("${aws:username}", "${aws:username}", version: .version2008) == .yes)
        #expect(try matches("${aws:username}", "a", ["aws:username": ["a"]], version: .version2008) == .no)
        #expect(try matches("${nonsense", "${nonsense", version: .version2008) == .yes)
        #expect(try matches("${*}", "${anything}", version: .version2008) == .yes)
    }

    @Test(
        arguments: [
            "${", "${}", "a${aws:username", "${aws:username,", "${aws:username, nobody}", "${aws:username, 'nobody}",
            "${aws:username, 'a' 'b'}", "${ }", "${, 'x'}", "${aws:${aws:username}}", "${**}", "${a'b}", "${*",
            "${aws:username\u{e9}}",
        ] as [Text])
    func `A malformed variable is refused`(pattern: Text) {
        #expect(throws: PolicyError.self) { try TextPattern(pattern, version: .version2012) }
    }

    @Test func `A variable with an unknown key is refused, and the message names it`() {
        let error = #expect(throws: PolicyError.self) { try TextPattern("${aws:nonsense}", version: .version2012) }
        #expect(error?.description.contains("aws:nonsense") == true)
    }
}
