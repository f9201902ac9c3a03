/// The bounds that the service model sets on a length or on a number; nil where it sets none.
package struct Bounds: Sendable {
    package let minimum: Int?
    package let maximum: Int?

    package init(minimum: Int? = nil, maximum: Int? = nil) {
        self.minimum = minimum
        self.maximum = maximum
    }
}

/// What the service model demands of a string: bounds on its Unicode scalars, and a pattern.
package struct TextConstraint: Sendable {
    package let length: Bounds
    package let pattern: Pattern?

    package init(minimum: Int? = nil, maximum: Int? = nil, pattern: Pattern? = nil) {
        self.length = Bounds(minimum: minimum, maximum: maximum)
        self.pattern = pattern
    }
}

/// What the service model demands of a sensitive string. It must be checked where it lies, in memory that will be
/// cleared, so its pattern is a set of bytes and not an expression that runs over a `String`.
package struct SecretTextConstraint: Sendable {
    package let length: Bounds
    package let pattern: BytePattern?

    package init(minimum: Int? = nil, maximum: Int? = nil, pattern: BytePattern? = nil) {
        self.length = Bounds(minimum: minimum, maximum: maximum)
        self.pattern = pattern
    }
}

/// A pattern of the form `^[set]+$`, as a set of ASCII bytes.
package struct BytePattern: Sendable {
    /// The pattern as the service model spells it, for messages.
    package let source: String
    private let ranges: [ClosedRange<UInt8>]

    package init(_ source: String, _ ranges: [ClosedRange<UInt8>]) {
        self.source = source
        self.ranges = ranges
    }

    /// Whether there is at least one byte, and each is in the set.
    package func matches(_ bytes: Span<UInt8>) -> Bool {
        for index in bytes.indices where !ranges.contains(where: { $0.contains(bytes[index]) }) { return false }
        return !bytes.isEmpty
    }
}
