/// A moment as the API writes it: seconds since 1970-01-01T00:00:00Z, with a fraction.
///
/// The value is always finite and within the years 0 to 9999, so that no arithmetic and no conversion of it can trap.
public struct Timestamp: Sendable, Hashable, Codable {
    /// 0000-01-01T00:00:00Z.
    public static let earliest = Timestamp(secondsSinceEpoch: -62_167_219_200)
    /// 9999-12-31T23:59:59Z.
    public static let latest = Timestamp(secondsSinceEpoch: 253_402_300_799)

    private static let range: ClosedRange<Double> = -62_167_219_200...253_402_300_799

    public let secondsSinceEpoch: Double

    /// Takes the nearest moment that a timestamp can hold; a NaN becomes the epoch.
    public init(secondsSinceEpoch: Double) {
        let seconds = secondsSinceEpoch.isNaN ? 0 : secondsSinceEpoch
        self.secondsSinceEpoch = min(max(seconds, Self.range.lowerBound), Self.range.upperBound)
    }

    /// Refuses what is not a moment of the years 0 to 9999; for numbers that come from a caller.
    public init?(exactly secondsSinceEpoch: Double) {
        guard Self.range.contains(secondsSinceEpoch) else { return nil }
        self.secondsSinceEpoch = secondsSinceEpoch
    }

    /// Refuses, like `init(exactly:)`, what is out of range: stored numbers are outside data too.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let seconds = try container.decode(Double.self)
        guard let timestamp = Timestamp(exactly: seconds) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not within the years 0 to 9999")
        }
        self = timestamp
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(secondsSinceEpoch)
    }

    /// Milliseconds since the epoch, rounded: the precision of the wire.
    public var millisecondsSinceEpoch: Int { Int((secondsSinceEpoch * 1000).rounded()) }
}

extension Timestamp: Comparable {
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.secondsSinceEpoch < right.secondsSinceEpoch
    }
}

extension Timestamp {
    /// The moment `seconds` later; stops at `latest` and `earliest`.
    public static func + (timestamp: Timestamp, seconds: Double) -> Timestamp {
        Timestamp(secondsSinceEpoch: timestamp.secondsSinceEpoch + seconds)
    }

    /// The moment `seconds` earlier; stops at `latest` and `earliest`.
    public static func - (timestamp: Timestamp, seconds: Double) -> Timestamp {
        Timestamp(secondsSinceEpoch: timestamp.secondsSinceEpoch - seconds)
    }

    /// The seconds from `right` to `left`.
    public static func - (left: Timestamp, right: Timestamp) -> Double {
        left.secondsSinceEpoch - right.secondsSinceEpoch
    }
}
