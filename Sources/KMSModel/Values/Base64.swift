/// Standard padded base64 (RFC 4648 §4), strictly: no white space, no missing padding, no stray bits after the last
/// byte (§3.5), so that one blob has one spelling.
package enum Base64 {
    /// The number of bytes that `text` stands for, or nil when its length or its padding cannot be right.
    package static func decodedCount(_ text: Span<UInt8>) -> Int? {
        let count = text.count
        guard count % 4 == 0 else { return nil }
        guard count > 0 else { return 0 }
        let padding = text[count - 1] != padCharacter ? 0 : text[count - 2] != padCharacter ? 1 : 2
        return count / 4 * 3 - padding
    }

    /// Appends the bytes of `text` to `output`, which must have room for `decodedCount` of them.
    ///
    /// Returns false when `text` is not base64; what `output` then holds is without meaning.
    package static func decode(_ text: Span<UInt8>, into output: inout OutputSpan<UInt8>) -> Bool {
        guard let decodedCount = decodedCount(text) else { return false }
        var invalid: Int32 = 0
        let wholeEnd = decodedCount / 3 * 4
        var index = 0
        while index < wholeEnd {
            let first = value(of: text[index])
            let second = value(of: text[index + 1])
            let third = value(of: text[index + 2])
            let fourth = value(of: text[index + 3])
            // An invalid character has a negative value.
            invalid |= first | second | third | fourth
            let group = first << 18 | second << 12 | third << 6 | fourth
            output.append(UInt8(truncatingIfNeeded: group >> 16))
            output.append(UInt8(truncatingIfNeeded: group >> 8))
            output.append(UInt8(truncatingIfNeeded: group))
            index += 4
        }
        // The last group, if it is padded: `decodedCount` has seen that it ends in one or two of them.
        if decodedCount % 3 > 0 {
            let first = value(of: text[index])
            let second = value(of: text[index + 1])
            let third = decodedCount % 3 == 2 ? value(of: text[index + 2]) : 0
            invalid |= first | second | third
            let group = first << 18 | second << 12 | third << 6
            output.append(UInt8(truncatingIfNeeded: group >> 16))
            if decodedCount % 3 == 2 { output.append(UInt8(truncatingIfNeeded: group >> 8)) }
            let strayBits = decodedCount % 3 == 2 ? group & 0xFF : group & 0xFFFF
            if strayBits != 0 { return false }
        }
        return invalid >= 0
    }

    package static func encodedCount(_ byteCount: Int) -> Int { (byteCount + 2) / 3 * 4 }

    /// Appends the base64 of `bytes` to `output`, which must have room for `encodedCount` characters.
    package static func encode(_ bytes: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
        var index = 0
        while index < bytes.count {
            let available = min(bytes.count - index, 3)
            var group = UInt32(bytes[index]) << 16
            if available > 1 { group |= UInt32(bytes[index + 1]) << 8 }
            if available > 2 { group |= UInt32(bytes[index + 2]) }
            output.append(character(for: group >> 18))
            output.append(character(for: group >> 12))
            output.append(available > 1 ? character(for: group >> 6) : padCharacter)
            output.append(available > 2 ? character(for: group) : padCharacter)
            index += 3
        }
    }

    private static let padCharacter = UInt8(ascii: "=")

    // Arithmetic instead of tables and branches: neither an address nor a jump depends on a secret.

    /// All ones where a small number is negative, zero elsewhere.
    @inline(__always)
    private static func mask(_ number: Int32) -> Int32 { number >> 8 }

    /// The six bits that `character` stands for, or -1.
    @inline(__always)
    private static func value(of character: UInt8) -> Int32 {
        let code = Int32(character)
        var value: Int32 = -1
        value &+= mask((64 &- code) & (code &- 91)) & (code &- 64)  // A...Z, 0...25
        value &+= mask((96 &- code) & (code &- 123)) & (code &- 70)  // a...z, 26...51
        value &+= mask((47 &- code) & (code &- 58)) & (code &+ 5)  // 0...9, 52...61
        value &+= mask((42 &- code) & (code &- 44)) & 63  // +, 62
        value &+= mask((46 &- code) & (code &- 48)) & 64  // /, 63
        return value
    }

    /// The character for the lowest six bits of `group`.
    @inline(__always)
    private static func character(for group: UInt32) -> UInt8 {
        let value = Int32(group & 63)
        var code = value &+ 65  // A...Z
        code &+= mask(25 &- value) & 6  // a...z, six code points after Z
        code &-= mask(51 &- value) & 75  // 0...9
        code &-= mask(61 &- value) & 15  // +
        code &+= mask(62 &- value) & 3  // /
        return UInt8(truncatingIfNeeded: code)
    }
}
