// Moments as people read them, in UTC and the proleptic Gregorian calendar.
extension Timestamp {
    /// Whole seconds since the epoch, towards the past.
    package var wholeSeconds: Int { Int(secondsSinceEpoch.rounded(.down)) }

    /// `2026-01-31T23:59:59Z`.
    package var iso8601: Text {
        let moment = Moment(self)
        var text: [UInt8] = []
        text.reserveCapacity(20)
        text.append(moment.year, digits: 4)
        text.append(UInt8(ascii: "-"))
        text.append(moment.month, digits: 2)
        text.append(UInt8(ascii: "-"))
        text.append(moment.day, digits: 2)
        text.append(UInt8(ascii: "T"))
        text.append(moment.second / 3600, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.append(moment.second / 60 % 60, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.append(moment.second % 60, digits: 2)
        text.append(UInt8(ascii: "Z"))
        return Text(String(decoding: text, as: UTF8.self))
    }

    /// `Aug 10, 2022, 10:38:27 PM`, as CloudTrail shows the dates of requests and answers.
    package var displayText: String {
        let moment = Moment(self)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let hour = moment.second / 3600
        var time: [UInt8] = []
        time.append(moment.second / 60 % 60, digits: 2)
        time.append(UInt8(ascii: ":"))
        time.append(moment.second % 60, digits: 2)
        return "\(months[moment.month - 1]) \(moment.day), \(moment.year), \((hour + 11) % 12 + 1):"
            + "\(String(decoding: time, as: UTF8.self)) \(hour < 12 ? "AM" : "PM")"
    }
}

private struct Moment {
    let year: Int
    let month: Int
    let day: Int
    /// Of the day.
    let second: Int

    init(_ timestamp: Timestamp) {
        var days = timestamp.wholeSeconds / 86_400
        var second = timestamp.wholeSeconds % 86_400
        if second < 0 {
            second += 86_400
            days -= 1
        }
        self.second = second
        (year, month, day) = Self.civilDate(daysSinceEpoch: days)
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
}

extension [UInt8] {
    /// Appends a number that is not negative, with leading zeros.
    fileprivate mutating func append(_ number: Int, digits: Int) {
        var unit = 1
        for _ in 1..<digits { unit *= 10 }
        while unit > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / unit % 10))
            unit /= 10
        }
    }
}
