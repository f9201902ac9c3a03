public import Foundation

/// When imported key material ends.
public enum Expiration: Hashable, Sendable {
    case never
    case at(Date)

    /// `30d`, `12h`, `90m`: how long after `time`.
    public init(after duration: String, from time: Date) throws(CeremonyError) {
        let units: [Character: Double] = ["m": 60, "h": 3_600, "d": 86_400]
        guard let unit = duration.last.flatMap({ units[$0] }), let count = UInt32(duration.dropLast()), count > 0,
            duration.dropLast().allSatisfy({ $0.isASCII && $0.isNumber })
        else { throw CeremonyError("\(duration) is not a duration such as 30d, 12h or 90m") }
        self = .at(time.addingTimeInterval(Double(count) * unit))
        try requireAllowed(at: time)
    }

    /// `2026-12-31T23:59:59Z`, or with another offset from UTC.
    public init(timestamp: String, now time: Date) throws(CeremonyError) {
        guard let date = try? Date(timestamp, strategy: .iso8601) else {
            throw CeremonyError("\(timestamp) is not a time such as 2026-12-31T23:59:59Z")
        }
        self = .at(date)
        try requireAllowed(at: time)
    }

    private func requireAllowed(at time: Date) throws(CeremonyError) {
        guard case .at(let date) = self else { return }
        guard date > time else { throw CeremonyError("\(CeremonyFile.text(date)) is not in the future") }
        // ImportKeyMaterial, ValidTo.
        guard date <= time.addingTimeInterval(365 * 86_400) else {
            throw CeremonyError("\(CeremonyFile.text(date)) is more than 365 days away; KMS allows no more")
        }
    }
}
