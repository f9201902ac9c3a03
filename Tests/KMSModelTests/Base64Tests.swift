import KMSModel
import Testing

@Suite struct Base64Tests {
    private func decoded(_ text: String) -> [UInt8]? {
        let bytes = [UInt8](text.utf8)
        guard let count = Base64.decodedCount(bytes.span) else { return nil }
        var isGood = false
        let result = [UInt8](capacity: count) { isGood = Base64.decode(bytes.span, into: &$0) }
        return isGood ? result : nil
    }

    private func encoded(_ bytes: [UInt8]) -> String {
        let text = [UInt8](capacity: Base64.encodedCount(bytes.count)) { Base64.encode(bytes.span, into: &$0) }
        return String(decoding: text, as: UTF8.self)
    }

    // RFC 4648 §10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `The vectors of RFC 4648 hold both ways`(_ plain: String, _ text: String) {
        #expect(encoded([UInt8](plain.utf8)) == text)
        #expect(decoded(text) == [UInt8](plain.utf8))
    }

    @Test func `Every byte and every length survive a round trip`() {
        let all = [UInt8](0...255)
        for length in 0...256 { #expect(decoded(encoded(Array(all.prefix(length)))) == Array(all.prefix(length))) }
        #expect(encoded([0xFB, 0xFF, 0xBF]) == "+/+/")
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zm8", "Zg===", "=", "==", "====", "Zg==Zg==", "Zm=v", "Z===", "Zm9v\n", " Zm9v", "Zm9v ",
        "Zm-_",
        "Zh==", "Zm9=", "Zm9\u{FF}", "Zm9v====", "=Zm9", "Z=m9", "AAA\u{0}",
    ])
    func `Anything else is refused`(_ text: String) {
        #expect(decoded(text) == nil)
    }
}
