// Names that compare without case: of actions, condition keys, tags, elements of a policy. All of them are compared
// here, so that what one place holds for two names no other holds for one. Only the case of ASCII letters is ignored:
// beyond them AWS does not say how it compares, and every rule of Unicode makes some pair of different texts equal.
extension Text {
    /// Equality without the case of ASCII letters.
    package func equalsWithoutCase(_ other: Text) -> Bool {
        let left = string.utf8.span
        let right = other.string.utf8.span
        guard left.count == right.count else { return false }
        for index in left.indices where Self.lowerCase(left[index]) != Self.lowerCase(right[index]) { return false }
        return true
    }

    /// Whether this begins with `prefix`, without the case of ASCII letters.
    package func hasPrefixWithoutCase(_ prefix: Text) -> Bool {
        let text = string.utf8.span
        let prefix = prefix.string.utf8.span
        guard text.count >= prefix.count else { return false }
        for index in prefix.indices where Self.lowerCase(text[index]) != Self.lowerCase(prefix[index]) { return false }
        return true
    }

    /// The same text with ASCII letters in lower case.
    package var lowerCase: Text {
        guard utf8.contains(where: { Self.lowerCase($0) != $0 }) else { return self }
        return Text(String(decoding: utf8.map(Self.lowerCase), as: UTF8.self))
    }

    private static func lowerCase(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
