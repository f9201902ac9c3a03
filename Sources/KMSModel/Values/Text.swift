/// A string of the API: Unicode text whose identity is its UTF-8 bytes.
///
/// Swift's `String` holds canonically equivalent texts for equal (U+00E9 and U+0065 U+0301), which would let one
/// encryption context decrypt what another one encrypted. `Text` compares, orders and hashes bytes.
public struct Text: Sendable {
    /// The same text as a `String`, for building messages and for interfaces that want one.
    public let string: String

    public init(_ string: String) {
        var string = string
        string.makeContiguousUTF8()
        self.string = string
    }

    /// The text in UTF-8.
    public var utf8: String.UTF8View { string.utf8 }

    public var isEmpty: Bool { string.utf8.isEmpty }

    /// The number of Unicode scalars, which is what the service model means by the length of a string (Smithy 2.0,
    /// "length trait": the number of Unicode scalar values).
    public var scalarCount: Int {
        let bytes = string.utf8.span
        return countScalars(bytes)
    }
}

extension Text: Hashable, Comparable {
    public static func == (left: Text, right: Text) -> Bool {
        let leftBytes = left.string.utf8.span
        let rightBytes = right.string.utf8.span
        guard leftBytes.count == rightBytes.count else { return false }
        for index in leftBytes.indices where leftBytes[index] != rightBytes[index] { return false }
        return true
    }

    /// Orders by UTF-8 bytes, which is also the order of the Unicode scalars.
    public static func < (left: Text, right: Text) -> Bool {
        let leftBytes = left.string.utf8.span
        let rightBytes = right.string.utf8.span
        for index in 0..<min(leftBytes.count, rightBytes.count) where leftBytes[index] != rightBytes[index] {
            return leftBytes[index] < rightBytes[index]
        }
        return leftBytes.count < rightBytes.count
    }

    /// Feeds eight bytes at a time, then the count, so that no text is a prefix of another one's input.
    public func hash(into hasher: inout Hasher) {
        let bytes = string.utf8.span
        var word: UInt64 = 0
        for index in bytes.indices {
            word = word << 8 | UInt64(bytes[index])
            if index & 7 == 7 { hasher.combine(word) }
        }
        hasher.combine(word)
        hasher.combine(bytes.count)
    }
}

extension Text: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, CustomStringConvertible {
    public init(stringLiteral value: String) { self.init(value) }

    public var description: String { string }
}

extension Text: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(string)
    }
}

/// Counts the Unicode scalars of valid UTF-8: every byte that does not continue a sequence starts one.
func countScalars(_ bytes: Span<UInt8>) -> Int {
    var count = 0
    for index in bytes.indices where bytes[index] & 0xC0 != 0x80 { count += 1 }
    return count
}
