public import KMSModel

/// What every request has beside its principal, its operation and its parameters.
public struct RequestEnvironment: Sendable {
    /// The Region whose endpoint was called, such as `eu-central-1`.
    public var region: String
    /// Domain time.
    public var time: Timestamp
    /// The address of the caller; nil when the request came through no network.
    public var sourceIP: Text?
    /// The header User-Agent.
    public var userAgent: Text?
    /// The header Referer.
    public var referer: Text?
    /// The service, such as `s3`, that made the request for the principal; nil when the principal made it.
    public var viaService: Text?

    public init(
        region: String, time: Timestamp, sourceIP: Text? = nil, userAgent: Text? = nil, referer: Text? = nil,
        viaService: Text? = nil
    ) {
        self.region = region
        self.time = time
        self.sourceIP = sourceIP
        self.userAgent = userAgent
        self.referer = referer
        self.viaService = viaService
    }

    /// What the request has for the condition keys that speak of none of its parameters; nil for absent ones and for
    /// keys that speak of something else.
    ///
    /// Sources: IAM User Guide, "AWS global condition context keys: properties of the network, of the request"; KMS
    /// Developer Guide, "kms:ViaService".
    public func values(of key: ConditionKey) -> ConditionValues? {
        guard case .known(let key) = key else { return nil }
        return value(of: key).map { .single($0) }
    }

    private func value(of key: KnownConditionKey) -> Text? {
        switch key {
        case .requestedRegion: Text(region)
        case .currentTime: time.iso8601
        case .epochTime: Text(String(time.wholeSeconds))
        case .sourceIP: sourceIP
        case .userAgent: userAgent
        case .referer: referer
        // The server itself speaks no TLS.
        case .secureTransport: "false"
        case .viaService: viaService.map { Text("\($0).\(region).amazonaws.com") }
        case .viaAWSService: viaService == nil ? "false" : "true"
        // The chain of services has one link.
        case .calledVia, .calledViaFirst, .calledViaLast: viaService.map { Text("\($0).amazonaws.com") }
        default: nil
        }
    }
}

extension Timestamp {
    /// Whole seconds since the epoch, towards the past.
    var wholeSeconds: Int { Int(secondsSinceEpoch.rounded(.down)) }

    /// `2026-01-31T23:59:59Z`, in the proleptic Gregorian calendar.
    package var iso8601: Text {
        var days = wholeSeconds / 86_400
        var second = wholeSeconds % 86_400
        if second < 0 {
            second += 86_400
            days -= 1
        }
        let (year, month, day) = Self.civilDate(daysSinceEpoch: days)
        let date = "\(Self.digits(year, 4))-\(Self.digits(month, 2))-\(Self.digits(day, 2))"
        let time = [second / 3600, second / 60 % 60, second % 60].map { Self.digits($0, 2) }
        return Text("\(date)T\(time.joined(separator: ":"))Z")
    }

    /// The year begins in March here, so that a leap day is its last day.
    private static func civilDate(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        // 0000-03-01 is 719 468 days before the epoch; the days of the two months before it are of an era before.
        var days = daysSinceEpoch + 719_468
        var year = 0
        if days < 0 {
            days += 146_097
            year -= 400
        }
        year += days / 146_097 * 400
        days %= 146_097
        // Of 400 years, the last century has a day more than the others; of four years, the last one has.
        let century = min(days / 36_524, 3)
        days -= century * 36_524
        let fourYears = days / 1461
        days -= fourYears * 1461
        let yearOfFour = min(days / 365, 3)
        days -= yearOfFour * 365
        year += century * 100 + fourYears * 4 + yearOfFour
        // Five months from March have 153 days, twice; 31, 30, 31, 30, 31.
        let month = (5 * days + 2) / 153
        let day = days - (153 * month + 2) / 5 + 1
        return month < 10 ? (year, month + 3, day) : (year + 1, month - 9, day)
    }

    private static func digits(_ value: Int, _ count: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, count - digits.utf8.count)) + digits
    }
}
