/// A moment of a Date condition: "one of the W3C implementations of the ISO 8601 date formats or in epoch (UNIX) time"
/// (IAM User Guide, "Condition operators").
struct Moment: Sendable, Hashable, Comparable {
    /// Of the years 0000 to 9999.
    private let secondsSinceEpoch: Int
    /// 0…999,999,999.
    private let nanoseconds: Int

    /// Reads the forms of the W3C's note "Date and Time Formats", that is `YYYY`, `YYYY-MM`, `YYYY-MM-DD`,
    /// `YYYY-MM-DDThh:mmTZD`, `YYYY-MM-DDThh:mm:ssTZD` and `YYYY-MM-DDThh:mm:ss.sTZD`, where TZD is `Z`, `+hh:mm` or
    /// `-hh:mm`; and seconds since 1970 with or without a fraction, up to the year 9999. Four digits are a year. Digits
    /// after the ninth of a fraction do not count, and there are not more than 40 characters.
    init?(_ text: Span<UInt8>) {
        guard var reader = MomentReader(text) else { return nil }
        let isYear = text.count == 4 || text.count > 4 && text[4] == UInt8(ascii: "-")
        guard let moment = isYear ? reader.calendarMoment() : reader.epochMoment(), reader.isAtEnd else { return nil }
        guard (-62_167_219_200...253_402_300_799).contains(moment.seconds) else { return nil }
        secondsSinceEpoch = moment.seconds
        nanoseconds = moment.nanoseconds
    }

    static func < (left: Moment, right: Moment) -> Bool {
        left.secondsSinceEpoch != right.secondsSinceEpoch
            ? left.secondsSinceEpoch < right.secondsSinceEpoch : left.nanoseconds < right.nanoseconds
    }
}

private struct MomentReader {
    private var text = InlineArray<40, UInt8>(repeating: 0)
    private let count: Int
    private var index = 0

    init?(_ text: Span<UInt8>) {
        guard text.count <= 40 else { return nil }
        count = text.count
        for index in text.indices { self.text[index] = text[index] }
    }

    var isAtEnd: Bool { index == count }

    mutating func epochMoment() -> (seconds: Int, nanoseconds: Int)? {
        let isNegative = skip("-")
        var seconds = 0
        let start = index
        while index < count, isDigit(text[index]) {
            // Twelve digits reach beyond the year 9999.
            guard index - start < 12 else { return nil }
            seconds = seconds * 10 + Int(text[index] - UInt8(ascii: "0"))
            index += 1
        }
        guard index > start, let nanoseconds = fraction() else { return nil }
        guard isNegative else { return (seconds, nanoseconds) }
        return nanoseconds == 0 ? (-seconds, 0) : (-seconds - 1, 1_000_000_000 - nanoseconds)
    }

    mutating func calendarMoment() -> (seconds: Int, nanoseconds: Int)? {
        guard let year = number(digits: 4, 0...9999) else { return nil }
        if isAtEnd { return (daysSinceEpoch(year, 1, 1) * 86_400, 0) }
        guard skip("-"), let month = number(digits: 2, 1...12) else { return nil }
        if isAtEnd { return (daysSinceEpoch(year, month, 1) * 86_400, 0) }
        guard skip("-"), let day = number(digits: 2, 1...dayCount(year, month)) else { return nil }
        var seconds = daysSinceEpoch(year, month, day) * 86_400
        if isAtEnd { return (seconds, 0) }
        guard skip("T"), let hour = number(digits: 2, 0...23), skip(":"), let minute = number(digits: 2, 0...59) else {
            return nil
        }
        seconds += hour * 3600 + minute * 60
        var nanoseconds = 0
        if skip(":") {
            guard let second = number(digits: 2, 0...59), let fraction = fraction() else { return nil }
            seconds += second
            nanoseconds = fraction
        }
        if skip("Z") { return (seconds, nanoseconds) }
        let isEast = skip("+")
        guard isEast || skip("-"), let hours = number(digits: 2, 0...23), skip(":"),
            let minutes = number(digits: 2, 0...59)
        else { return nil }
        let offset = hours * 3600 + minutes * 60
        return (isEast ? seconds - offset : seconds + offset, nanoseconds)
    }

    /// Nanoseconds; 0 when there is no point.
    private mutating func fraction() -> Int? {
        guard skip(".") else { return 0 }
        var nanoseconds = 0
        var unit = 100_000_000
        let start = index
        while index < count, isDigit(text[index]) {
            nanoseconds += Int(text[index] - UInt8(ascii: "0")) * unit
            unit /= 10
            index += 1
        }
        return index > start ? nanoseconds : nil
    }

    private mutating func number(digits: Int, _ range: ClosedRange<Int>) -> Int? {
        guard count - index >= digits else { return nil }
        var number = 0
        for _ in 0..<digits {
            guard isDigit(text[index]) else { return nil }
            number = number * 10 + Int(text[index] - UInt8(ascii: "0"))
            index += 1
        }
        return range.contains(number) ? number : nil
    }

    private mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard index < count, UInt32(text[index]) == character.value else { return false }
        index += 1
        return true
    }
}

private func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

private func dayCount(_ year: Int, _ month: Int) -> Int {
    switch month {
    case 2: isLeap(year) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
}

/// Days from 1970-01-01 in the Gregorian calendar, for years from 0 on.
private func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    var days = year * 365 + (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400
    for earlier in 1..<month { days += dayCount(year, earlier) }
    // 719,528 days lie between 0000-01-01 and 1970-01-01.
    return days + day - 1 - 719_528
}
