import KMSModel
import Testing

@Suite struct TextTests {
    private let composed: Text = "\u{E9}"
    private let decomposed: Text = "e\u{301}"

    @Test func `Canonically equivalent texts differ`() {
        #expect(composed.string == decomposed.string, "Swift itself holds them for equal")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect([composed: "a", decomposed: "b"][decomposed] == "b")
    }

    @Test func `Order is the order of UTF-8 bytes`() {
        let texts: [Text] = ["", "A", "AA", "B", "a", "z\u{301}", "\u{E9}", "\u{FFFD}", "\u{1F511}"]
        #expect(texts.reversed().sorted() == texts)
        #expect(!(composed < composed))
    }

    @Test(arguments: [("", 0), ("abc", 3), ("e\u{301}", 2), ("\u{1F468}\u{200D}\u{1F469}", 3), ("\r\n", 2)])
    func `Length counts Unicode scalars, not characters`(_ string: String, _ count: Int) {
        #expect(Text(string).scalarCount == count)
    }

    @Test func `Without case means the letters of ASCII and no others`() {
        #expect(Text("aws:RequestTag/Größe").lowerCase == "aws:requesttag/größe")
        #expect(Text("KMS:Encrypt").equalsWithoutCase("kms:eNCRYPT"))
        #expect(!Text("kms:Encrypt").equalsWithoutCase("kms:Encrypts"))
        // Beside the letters stand @ and `, [ and {: 32 apart, and not the same.
        #expect(!Text("@[").equalsWithoutCase("`{"))
        // The Kelvin sign is no k, and É is no é.
        #expect(!Text("\u{212A}ms").equalsWithoutCase("kms"))
        #expect(!Text("\u{C9}").equalsWithoutCase("\u{E9}"))
        #expect(composed.lowerCase == composed && decomposed.lowerCase == decomposed)
        #expect(Text("AWS:x").hasPrefixWithoutCase("aws:") && Text("aws:").hasPrefixWithoutCase("aws:"))
        #expect(!Text("aws").hasPrefixWithoutCase("aws:") && !Text("xaws:").hasPrefixWithoutCase("aws:"))
    }

    @Test func `Equal texts have equal hashes, whatever made them`() {
        for length in 0..<40 {
            let literal = String(repeating: "x", count: length)
            let assembled = String(decoding: [UInt8](repeating: UInt8(ascii: "x"), count: length), as: UTF8.self)
            #expect(Text(literal).hashValue == Text(assembled).hashValue)
        }
    }
}

@Suite struct TimestampTests {
    @Test(arguments: [1e300, -1e300, .infinity, -.infinity, .nan, 253_402_300_800, -62_167_219_201])
    func `What is no moment of the years 0 to 9999 is refused, and clamped where it comes from arithmetic`(
        _ seconds: Double
    ) {
        #expect(Timestamp(exactly: seconds) == nil)
        let clamped = Timestamp(secondsSinceEpoch: seconds)
        #expect(clamped >= .earliest && clamped <= .latest)
        #expect(clamped.millisecondsSinceEpoch <= Timestamp.latest.millisecondsSinceEpoch)
    }

    @Test func `Arithmetic is in seconds and stops at the ends`() {
        let start = Timestamp(secondsSinceEpoch: 1_572_216_195)
        #expect((start + 86_400).secondsSinceEpoch == 1_572_302_595)
        #expect((start - 1) < start)
        #expect((start + 86_400) - start == 86_400)
        #expect(start + 1e300 == .latest)
        #expect(start - 1e300 == .earliest)
    }
}
