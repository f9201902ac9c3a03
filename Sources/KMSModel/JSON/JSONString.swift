/// Where a string of a JSON text stands: the bytes between its quotes, already known to be well formed.
package struct JSONString {
    package let start: Int
    package let end: Int
    package let isEscaped: Bool

    /// The number of bytes between the quotes; unescaping never makes more of them.
    package var rawCount: Int { end - start }

    /// Whether the string is `literal`, byte by byte, however it was escaped.
    @inline(__always)
    package func matches(_ literal: String, _ body: Span<UInt8>) -> Bool {
        let expected = literal.utf8.span
        guard !isEscaped else { return matchesUnescaped(literal, body) }
        guard rawCount == expected.count else { return false }
        for index in expected.indices where body[start + index] != expected[index] { return false }
        return true
    }

    private func matchesUnescaped(_ literal: String, _ body: Span<UInt8>) -> Bool {
        // An ASCII character is at most six bytes when it is escaped.
        guard rawCount <= 6 * literal.utf8.count else { return false }
        let expected = literal.utf8.span
        let bytes = [UInt8](capacity: rawCount) { unescape(body, into: &$0) }
        guard bytes.count == expected.count else { return false }
        for index in expected.indices where bytes[index] != expected[index] { return false }
        return true
    }

    /// Appends the bytes that the string means, in UTF-8, to `output`, which must have room for `rawCount` of them.
    package func unescape(_ body: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
        var index = start
        while index < end {
            let byte = body[index]
            guard byte == UInt8(ascii: "\\") else {
                output.append(byte)
                index += 1
                continue
            }
            let letter = body[index + 1]
            guard letter == UInt8(ascii: "u") else {
                output.append(Self.character(escapedAs: letter))
                index += 2
                continue
            }
            var scalar = Self.codeUnit(body, at: index + 2)
            index += 6
            if scalar & 0xFC00 == 0xD800 {
                scalar = 0x10000 + (scalar & 0x3FF) << 10 + Self.codeUnit(body, at: index + 2) & 0x3FF
                index += 6
            }
            Self.append(scalar, to: &output)
        }
    }

    /// The length in bytes of the escape sequence at `index`, or nil when it is none: RFC 8259 §7, and surrogates only
    /// in pairs (§8.2 leaves lone ones unpredictable).
    static func escapeLength(_ body: Span<UInt8>, at index: Int) -> Int? {
        guard index + 1 < body.count else { return nil }
        switch body[index + 1] {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return 2
        case UInt8(ascii: "u"):
            guard let first = checkedCodeUnit(body, at: index + 2) else { return nil }
            if first & 0xFC00 == 0xDC00 { return nil }
            guard first & 0xFC00 == 0xD800 else { return 6 }
            guard index + 7 < body.count, body[index + 6] == UInt8(ascii: "\\"), body[index + 7] == UInt8(ascii: "u"),
                let second = checkedCodeUnit(body, at: index + 8), second & 0xFC00 == 0xDC00
            else { return nil }
            return 12
        default:
            return nil
        }
    }

    private static func character(escapedAs letter: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: letter
        }
    }

    private static func checkedCodeUnit(_ body: Span<UInt8>, at index: Int) -> UInt32? {
        guard index + 4 <= body.count else { return nil }
        var unit: UInt32 = 0
        for offset in 0..<4 {
            guard let digit = hexadecimalValue(body[index + offset]) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }

    private static func codeUnit(_ body: Span<UInt8>, at index: Int) -> UInt32 {
        checkedCodeUnit(body, at: index) ?? 0xFFFD
    }

    private static func hexadecimalValue(_ character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(character - UInt8(ascii: "a")) + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(character - UInt8(ascii: "A")) + 10
        default: nil
        }
    }

    /// RFC 3629 §3.
    private static func append(_ scalar: UInt32, to output: inout OutputSpan<UInt8>) {
        func continuation(_ shift: UInt32) -> UInt8 { UInt8(truncatingIfNeeded: 0x80 | scalar >> shift & 0x3F) }
        switch scalar {
        case 0..<0x80:
            output.append(UInt8(truncatingIfNeeded: scalar))
        case 0x80..<0x800:
            output.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            output.append(continuation(0))
        case 0x800..<0x10000:
            output.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            output.append(continuation(6))
            output.append(continuation(0))
        default:
            output.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            output.append(continuation(12))
            output.append(continuation(6))
            output.append(continuation(0))
        }
    }
}
