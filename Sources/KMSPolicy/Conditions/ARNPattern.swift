import KMSModel

/// What ArnLike compares with: "Each of the six colon-delimited components of the ARN is checked separately and each
/// can include multi-character match wildcards (*) or single-character match wildcards (?)" (IAM User Guide, "Condition
/// operators"). A `*` so never reaches over the end of its part. The last part is all the rest and may have colons.
struct ARNPattern: Sendable, Hashable {
    private static let partCount = 6

    private let parts: [Glob]

    /// Nil when there are fewer than six parts.
    ///
    /// - Parameter program: a program of `Glob`.
    init?(program: [UInt8]) {
        let parts = program.split(
            separator: UInt8(ascii: ":"), maxSplits: Self.partCount - 1, omittingEmptySubsequences: false)
        guard parts.count == Self.partCount else { return nil }
        self.parts = parts.map { Glob(program: Array($0)) }
    }

    /// Whether a text has six parts.
    static func isARN(_ text: Span<UInt8>) -> Bool {
        var colons = 0
        for index in text.indices where text[index] == UInt8(ascii: ":") {
            colons += 1
            if colons == partCount - 1 { return true }
        }
        return false
    }

    /// - Parameter text: for which `isARN` holds; everything else does not match.
    func matches(_ text: Text) -> Bool {
        let bytes = text.string.utf8.span
        var start = 0
        for part in parts.indices {
            var end = start
            if part == Self.partCount - 1 {
                end = bytes.count
            } else {
                while end < bytes.count, bytes[end] != UInt8(ascii: ":") { end += 1 }
                guard end < bytes.count else { return false }
            }
            guard parts[part].matches(bytes.extracting(start..<end)) else { return false }
            start = end + 1
        }
        return true
    }
}
