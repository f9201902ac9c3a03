/// Points in time as they stand in signed requests: whole seconds since 1970 in the proleptic Gregorian calendar.
package enum WireTime {
    /// Parses `20150830T123600Z` (ISO 8601 basic format), nothing shorter, longer or out of range.
    static func parse(basic text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z"),
            let year = number(bytes, 0, 4), let month = number(bytes, 4, 2), let day = number(bytes, 6, 2),
            let hour = number(bytes, 9, 2), let minute = number(bytes, 11, 2), let second = number(bytes, 13, 2)
        else { return nil }
        return seconds(year, month, day, hour, minute, second)
    }

    /// Parses `Sun, 30 Aug 2015 12:36:00 GMT` (RFC 9110 §5.6.7 IMF-fixdate). The name of the day is not compared
    /// with the date: it carries nothing.
    static func parse(imfFixdate text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 29, bytes[3] == UInt8(ascii: ","), bytes[25...] == [0x20, 0x47, 0x4d, 0x54],  // " GMT"
            [4, 7, 11, 16].allSatisfy({ bytes[$0] == UInt8(ascii: " ") }),
            bytes[19] == UInt8(ascii: ":"), bytes[22] == UInt8(ascii: ":"),
            let month = monthNames.firstIndex(where: { bytes[8..<11].elementsEqual($0.utf8) }),
            let day = number(bytes, 5, 2), let year = number(bytes, 12, 4),
            let hour = number(bytes, 17, 2), let minute = number(bytes, 20, 2), let second = number(bytes, 23, 2)
        else { return nil }
        return seconds(year, Int64(month) + 1, day, hour, minute, second)
    }

    /// `20150830T123600Z`. Years outside 0...9999 do not occur: clocks of this server give 64-bit seconds, clamped.
    static func basic(_ time: Int64) -> String {
        let (days, rest) = split(time)
        let (year, month, day) = civil(days)
        var text: [UInt8] = []
        text.reserveCapacity(16)
        for part in [year / 100, year % 100, month, day] { append(twoDigits: part, to: &text) }
        text.append(UInt8(ascii: "T"))
        for part in [rest / 3_600, rest / 60 % 60, rest % 60] { append(twoDigits: part, to: &text) }
        text.append(UInt8(ascii: "Z"))
        return String(decoding: text, as: UTF8.self)
    }

    /// `2015-08-30T12:36:00Z` (ISO 8601 extended format), as answers of the query protocol write times.
    package static func iso8601(_ time: Int64) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(20)
        for (index, byte) in basic(time).utf8.enumerated() {
            if index == 4 || index == 6 { text.append(UInt8(ascii: "-")) }
            if index == 11 || index == 13 { text.append(UInt8(ascii: ":")) }
            text.append(byte)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// `Sun, 30 Aug 2015 12:36:00 GMT` (RFC 9110 §5.6.7 IMF-fixdate), for Date headers.
    package static func imfFixdate(_ time: Int64) -> String {
        let (days, rest) = split(time)
        let (year, month, day) = civil(days)
        var text = Array(dayNames[Int(days - floorDivide(days, 7) * 7)].utf8)
        text.append(contentsOf: ", ".utf8)
        append(twoDigits: day, to: &text)
        text.append(contentsOf: " \(monthNames[Int(month) - 1]) ".utf8)
        for part in [year / 100, year % 100] { append(twoDigits: part, to: &text) }
        for (separator, part) in [(" ", rest / 3_600), (":", rest / 60 % 60), (":", rest % 60)] {
            text.append(contentsOf: separator.utf8)
            append(twoDigits: part, to: &text)
        }
        text.append(contentsOf: " GMT".utf8)
        return String(decoding: text, as: UTF8.self)
    }

    /// Days since 1970 and seconds of the day, of a time within the years 0...9999 or the nearest to it.
    private static func split(_ time: Int64) -> (days: Int64, seconds: Int64) {
        let clamped = min(max(time, -62_167_219_200), 253_402_300_799)  // 0000-01-01T00:00:00Z, 9999-12-31T23:59:59Z
        let days = floorDivide(clamped, 86_400)
        return (days, clamped - days * 86_400)
    }

    // 1970-01-01 was a Thursday.
    private static let dayNames = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

    private static let monthNames = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int) -> Int64? {
        var value: Int64 = 0
        for byte in bytes[start..<start + count] {
            guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func append(twoDigits value: Int64, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "0") + UInt8(value / 10))
        text.append(UInt8(ascii: "0") + UInt8(value % 10))
    }

    private static func seconds(
        _ year: Int64, _ month: Int64, _ day: Int64, _ hour: Int64, _ minute: Int64, _ second: Int64
    ) -> Int64? {
        // A leap second (60) is taken as the second before it.
        guard 1...12 ~= month, 1...31 ~= day, 0...23 ~= hour, 0...59 ~= minute, 0...60 ~= second else { return nil }
        let days = daysSince1970(year, month, day)
        guard civil(days) == (year, month, day) else { return nil }
        return days * 86_400 + hour * 3_600 + minute * 60 + min(second, 59)
    }

    // Years are counted from March, so that the leap day is the last day of a year and month lengths follow
    // (153 m + 2) / 5. An era is the 400 years (146,097 days) after which the calendar repeats; 719,468 days lie
    // between 0000-03-01 and 1970-01-01.

    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let marchYear = month > 2 ? year : year - 1
        let era = floorDivide(marchYear, 400)
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        let year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }

    private static func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
        value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
    }
}
