import KMSModel
import KMSServer
import Testing

/// The form decoder: what it takes, and what it refuses.
struct FormParametersTests {
    private func decode(_ body: String) throws -> FormParameters { try FormParameters(decoding: Array(body.utf8).span) }

    @Test(
        arguments: [
            ("", [:]), ("a=b", ["a": "b"]), ("a=", ["a": ""]), ("a=b=c", ["a": "b=c"]),
            ("a=1&b=2", ["a": "1", "b": "2"]),
            ("a=x+y%20z", ["a": "x y z"]), ("%61=%2b%2B", ["a": "++"]), ("a=%26%3D%25", ["a": "&=%"]),
            ("a=%C3%A9", ["a": "é"]), ("a=e%CC%81", ["a": "e\u{301}"]), ("a=%00", ["a": "\u{0}"]),
            ("a=%F0%9F%94%91", ["a": "🔑"]), ("A=1&a=2", ["A": "1", "a": "2"]),
            // Two texts, because they are different bytes.
            ("%C3%A9=1&e%CC%81=2", ["é": "1", "e\u{301}": "2"]),
        ] as [(String, [Text: Text])])
    func `Parameters are decoded`(body: String, expected: [Text: Text]) throws {
        let parameters = try decode(body)
        #expect(parameters.count == expected.count)
        for (name, value) in expected { #expect(parameters[name] == value) }
    }

    @Test(arguments: [
        "a", "=b", "&", "a=b&", "&a=b", "a=b&&c=d", "a=b&c", "a=%", "a=%4", "a=%4g", "a=%g4", "a=% 41", "%=a", "a%=b",
        "a=b c", "a=é", "a=\t", "a=\u{7f}", "a=b\n", "a=b\r\n", "a=\u{0}", "a=1&a=2", "a=1&%61=1", "a=&a=",
        "a=%FF", "a=%C3", "a=%C3%28", "a=%C0%80", "a=%ED%A0%80", "a=%F5%80%80%80", "%FF=a",
    ])
    func `What is not a form is refused`(body: String) {
        #expect { try decode(body) } throws: { ($0 as? STSError)?.code == .malformedInput }
    }

    @Test func `More parameters than any request has are refused`() throws {
        let parameters = (1...FormParameters.maximumCount).map { "p\($0)=" }
        try #expect(decode(parameters.joined(separator: "&")).count == FormParameters.maximumCount)
        #expect(throws: STSError.self) { try decode((parameters + ["one=more"]).joined(separator: "&")) }
    }

    /// Quadratic work on a mebibyte would take hours; the limit turns that into a failure.
    @Test(.timeLimit(.minutes(5)))
    func `A body of a mebibyte is answered`() {
        for part in ["a", "&", "=", "%", "%41", "a=b&", "+"] {
            let body = "x=" + String(repeating: part, count: (1 << 20) / part.count)
            let decoded = try? decode(body)
            #expect((decoded?.count ?? 0) <= FormParameters.maximumCount)
        }
    }

    @Test func `Lists are numbered from 1`() throws {
        let parameters = try decode("K.member.2=b&K.member.1=a&K.member.3=c&Other.member.1=x")
        try #expect(parameters.list("K") == ["a", "b", "c"])
        try #expect(parameters.list("None") == [])
        try #expect(decode("K=").list("K") == [])
    }

    @Test(arguments: [
        "K.member.0=a", "K.member.2=a", "K.member.1=a&K.member.3=c", "K.member.01=a", "K.member.1=a&K.member.x=b",
        "K.member.1=a&K.member.1.Key=b", "K.member=a", "K.1=a", "K=a", "K.member.1=a&K=b", "K.member.-1=a",
        "K.member.99999999999999999999=a", "K.=a", "K.member.=a",
    ])
    func `Lists with gaps, other numbers or other members are refused`(body: String) throws {
        let parameters = try decode(body)
        #expect { try parameters.list("K") } throws: { ($0 as? STSError)?.code == .malformedInput }
    }

    @Test func `Structures have their members, and no others`() throws {
        let parameters = try decode("T.member.1.Key=k&T.member.1.Value=v&T.member.2.Key=l")
        try #expect(
            parameters.structures("T", members: ["Key", "Value"]) == [["Key": "k", "Value": "v"], ["Key": "l"]])
        #expect(throws: STSError.self) { try parameters.structures("T", members: ["Key"]) }
    }

    @Test func `Random bytes never trap, and what is accepted is what was sent`() {
        var generator = SplitMix(state: 11)
        let pieces = ["a", "b", "=", "=", "&", "%", "%4", "%41", "+", ".member.", "1", "%C3%A9"].map { Array($0.utf8) }
        for _ in 0..<50_000 {
            var body: [UInt8] = []
            for _ in 0..<Int.random(in: 0...12, using: &generator) {
                if Int.random(in: 0..<8, using: &generator) == 0 {
                    body.append(UInt8.random(in: 0...255, using: &generator))
                } else {
                    body += pieces[Int.random(in: pieces.indices, using: &generator)]
                }
            }
            guard let parameters = try? FormParameters(decoding: body.span) else { continue }
            #expect(parameters.count == (body.isEmpty ? 0 : body.count { $0 == UInt8(ascii: "&") } + 1))
            _ = try? parameters.list("a")
        }
    }
}
