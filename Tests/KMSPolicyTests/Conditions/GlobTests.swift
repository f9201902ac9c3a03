import KMSModel
import KMSPolicy
import Testing

@Suite struct GlobTests {
    @Test(
        arguments: [
            ("", "", true), ("", "a", false), ("*", "", true), ("*", "anything", true), ("**", "", true),
            ("?", "", false), ("?", "a", true), ("?", "ab", false), ("?*", "", false), ("*?", "ab", true),
            ("kms:*", "kms:encrypt", true), ("kms:*", "kms:", true), ("kms:*", "km", false), ("kms:*", "s3:get", false),
            ("*key", "key", true), ("*key", "monkey", true), ("*key", "keys", false),
            ("kms:*crypt", "kms:crypt", true), ("kms:*crypt", "kms:reencrypt", true), ("ab*ba", "aba", false),
            ("a*b*c", "abc", true), ("a*b*c", "axxbyyc", true), ("a*b*c", "acb", false), ("*a*", "bab", true),
            ("*ab*ab*", "abab", true), ("*ab*ab*", "aab", false), ("a?c", "abc", true), ("a?c", "ac", false),
            ("*a?c*", "xxabcxx", true), ("*a?c*", "xxacxx", false), ("[a]", "a", false), ("a.c", "abc", false),
            ("a\\*", "a\\b", true), ("Case", "case", false),
        ] as [(Text, Text, Bool)])
    func `A star is any text and a question mark is one character, of the whole text`(
        pattern: Text, text: Text, matches: Bool
    ) {
        #expect(Glob(pattern).matches(text) == matches)
    }

    @Test(
        arguments: [
            ("?", "é", true), ("?", "e\u{301}", false), ("??", "e\u{301}", true), ("?", "😀", true), ("??", "😀", false),
            ("a?*z", "a😀z", true), ("*?", "😀", true), ("*é?*", "xé😀y", true), ("*??*", "😀", false),
            ("*a?", "a😀", true), ("?b*", "😀b", true), ("é", "e\u{301}", false),
        ] as [(Text, Text, Bool)])
    func `A question mark is one Unicode scalar, however many bytes it has`(pattern: Text, text: Text, matches: Bool) {
        #expect(Glob(pattern).matches(text) == matches)
    }

    @Test func `Random patterns match what the definition says`() {
        var random = SmallRandom(seed: 20_261_121)
        var matchCount = 0
        let count = 40_000
        for _ in 0..<count {
            let pattern = random.text(of: ["a", "b", "é", "😀", "*", "*", "?"], upTo: 9)
            let text = random.text(of: ["a", "b", "é", "😀", "a"], upTo: 12)
            let expected = definitionMatches(pattern, text)
            if expected { matchCount += 1 }
            if Glob(pattern).matches(text) != expected {
                Issue.record("\(pattern) and \(text): expected \(expected)")
            }
        }
        // Otherwise the test would say little.
        #expect(matchCount > count / 20)
    }

    @Test func `Random patterns with pieces of more than 64 bytes match what the definition says`() {
        var random = SmallRandom(seed: 7)
        var matchCount = 0
        for _ in 0..<300 {
            let text = random.text(of: ["a", "b", "é"], upTo: 300)
            let scalars = Array(text.string.unicodeScalars)
            // Mostly a part of the text itself, with a few question marks, so that many match.
            let start = random.number(below: max(scalars.count / 2, 1))
            let end = min(start + 60 + random.number(below: 120), scalars.count)
            guard start < end else { continue }
            var piece = Array(scalars[start..<end])
            for _ in 0..<random.number(below: 5) { piece[random.number(below: piece.count)] = "?" }
            if random.number(below: 3) == 0 { piece[random.number(below: piece.count)] = "b" }
            let pattern = Text("*" + String(String.UnicodeScalarView(piece)) + "*")
            let expected = definitionMatches(pattern, text)
            if expected { matchCount += 1 }
            #expect(Glob(pattern).matches(text) == expected)
        }
        #expect(matchCount > 50)
    }

    /// Backtracking would not end before the universe does; the limit turns that into a failure.
    @Test(.timeLimit(.minutes(5)))
    func `No pattern backtracks`() {
        let manyPieces = Glob(Text(String(repeating: "*a", count: 50_000) + "*b"))
        let fewPieces = Glob(Text(String(repeating: "*a", count: 30) + "*b"))
        let longPiece = Glob(Text("*" + String(repeating: "a", count: 1000) + "?b*"))
        let questions = Glob(Text("*" + String(repeating: "?", count: 50_000) + "b*"))
        let text = Text(String(repeating: "a", count: 8192))
        let longText = Text(String(repeating: "a", count: 100_000))
        #expect(!manyPieces.matches(text))
        #expect(!manyPieces.matches(longText))
        #expect(!fewPieces.matches(text))
        #expect(!fewPieces.matches(longText))
        #expect(!longPiece.matches(text))
        #expect(!questions.matches(text))
    }

    @Test func `Patterns are equal when they are written alike`() {
        #expect(Glob("a*") == Glob("a*"))
        #expect(Glob("a*") != Glob("a?"))
        #expect(Set([Glob("*"), Glob("*"), Glob("x")]).count == 2)
    }
}

/// The definition, scalar by scalar: what fits so far, for every end of the text.
private func definitionMatches(_ pattern: Text, _ text: Text) -> Bool {
    let text = Array(text.string.unicodeScalars)
    var fits = [true] + Array(repeating: false, count: text.count)
    for wanted in pattern.string.unicodeScalars {
        var next = Array(repeating: false, count: text.count + 1)
        for end in 0...text.count {
            if wanted == "*" {
                next[end] = fits[end] || end > 0 && next[end - 1]
            } else if end > 0 {
                next[end] = fits[end - 1] && (wanted == "?" || wanted == text[end - 1])
            }
        }
        fits = next
    }
    return fits[text.count]
}

/// SplitMix64, so that every run tries the same inputs.
private struct SmallRandom {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func number(below limit: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((word ^ word >> 31) % UInt64(limit))
    }

    mutating func text(of parts: [String], upTo limit: Int) -> Text {
        var text = ""
        for _ in 0..<number(below: limit + 1) { text += parts[number(below: parts.count)] }
        return Text(text)
    }
}
