/// A number of a Numeric condition: "an integer or decimal value" (IAM User Guide, "Condition operators"), compared as
/// an IEEE 754 double, which is exact for integers up to 2^53.
struct PolicyNumber: Sendable, Hashable, Comparable {
    private let value: Double

    /// A decimal number as JSON writes it, also with a leading `+` or with zeros in front; nil for everything else, and
    /// for what no double can hold.
    init?(_ text: Span<UInt8>) {
        var index = 0
        func byte() -> UInt8? { index < text.count ? text[index] : nil }
        func skipDigits() -> Bool {
            let start = index
            while let next = byte(), isDigit(next) { index += 1 }
            return index > start
        }
        // More than any number needs.
        guard text.count <= 64 else { return nil }
        if byte() == UInt8(ascii: "-") || byte() == UInt8(ascii: "+") { index += 1 }
        guard skipDigits() else { return nil }
        if byte() == UInt8(ascii: ".") {
            index += 1
            guard skipDigits() else { return nil }
        }
        if byte() == UInt8(ascii: "e") || byte() == UInt8(ascii: "E") {
            index += 1
            if byte() == UInt8(ascii: "-") || byte() == UInt8(ascii: "+") { index += 1 }
            guard skipDigits() else { return nil }
        }
        guard index == text.count else { return nil }
        var digits = ""
        for index in text.indices { digits.unicodeScalars.append(Unicode.Scalar(text[index])) }
        guard let value = Double(digits), value.isFinite else { return nil }
        self.value = value
    }

    static func < (left: PolicyNumber, right: PolicyNumber) -> Bool { left.value < right.value }
}

func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
