/// Where a number of a JSON text stands.
package struct JSONNumber {
    let start: Int
    let end: Int
    let isInteger: Bool
}

extension JSONReader {
    /// Longer numbers are refused where one is wanted: no integer or timestamp of the API needs more digits.
    static let maximumNumberLength = 64

    /// Checks the syntax of a number, RFC 8259 §6.
    package mutating func scanNumber(_ body: Span<UInt8>, as kind: String) throws(KMSError) -> JSONNumber {
        let start = index
        var isInteger = true
        guard index < body.count, body[index] == UInt8(ascii: "-") || Self.isDigit(body[index]) else {
            throw unexpected(kind, body)
        }
        if body[index] == UInt8(ascii: "-") { advance() }
        if index < body.count, body[index] == UInt8(ascii: "0") {
            advance()
            if index < body.count, Self.isDigit(body[index]) { throw unexpected("a number without leading zero", body) }
        } else {
            try skipDigits(body)
        }
        if index < body.count, body[index] == UInt8(ascii: ".") {
            isInteger = false
            advance()
            try skipDigits(body)
        }
        if index < body.count, body[index] | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            advance()
            if index < body.count, body[index] == UInt8(ascii: "+") || body[index] == UInt8(ascii: "-") { advance() }
            try skipDigits(body)
        }
        return JSONNumber(start: start, end: index, isInteger: isInteger)
    }

    /// A number that has an integral value, also when it is spelt `1.0` or `1e2`.
    package mutating func integer(_ body: Span<UInt8>) throws(KMSError) -> Int {
        let number = try scanNumber(body, as: "a number")
        guard number.isInteger else {
            guard let value = Int(exactly: try floatingPoint(number, body)) else { throw outOfRange(number) }
            return value
        }
        let isNegative = body[number.start] == UInt8(ascii: "-")
        var value = 0
        for place in (isNegative ? number.start + 1 : number.start)..<number.end {
            let digit = Int(body[place] - UInt8(ascii: "0"))
            let (product, productOverflows) = value.multipliedReportingOverflow(by: 10)
            // Built up on the negative side where needed, so that Int.min is read too.
            let (sum, sumOverflows) =
                isNegative ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
            guard !productOverflows, !sumOverflows else { throw outOfRange(number) }
            value = sum
        }
        return value
    }

    /// A number of seconds since the epoch, within the years 0 to 9999.
    package mutating func timestamp(_ body: Span<UInt8>) throws(KMSError) -> Timestamp {
        let number = try scanNumber(body, as: "a timestamp")
        guard let timestamp = Timestamp(exactly: try floatingPoint(number, body)) else { throw outOfRange(number) }
        return timestamp
    }

    private func floatingPoint(_ number: JSONNumber, _ body: Span<UInt8>) throws(KMSError) -> Double {
        guard number.end - number.start <= Self.maximumNumberLength else { throw outOfRange(number) }
        let string = JSONString(start: number.start, end: number.end, isEscaped: false)
        guard let value = Double(try text(of: string, body).string), value.isFinite else { throw outOfRange(number) }
        return value
    }

    private func outOfRange(_ number: JSONNumber) -> KMSError {
        .serialization("the number at byte \(number.start) is out of range")
    }

    private mutating func skipDigits(_ body: Span<UInt8>) throws(KMSError) {
        guard index < body.count, Self.isDigit(body[index]) else { throw unexpected("a digit", body) }
        while index < body.count, Self.isDigit(body[index]) { advance() }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }
}
