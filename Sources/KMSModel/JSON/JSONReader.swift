/// Reads one JSON text (RFC 8259) from bytes, strictly, in one pass and without building a tree.
///
/// Every method takes the body again: the reader holds only its place, so that it needs no copy of the bytes and no
/// lifetime beyond a call. Refused, always as SerializationException: bytes that are not UTF-8, a byte order mark,
/// white space other than the four characters of §2, raw control characters, lone surrogates, numbers that do not fit,
/// nesting deeper than `maximumDepth`, duplicate member names at any level, and anything after the value.
package struct JSONReader {
    /// Deeper texts are refused: the reader recurses where it skips, and no request needs more than three levels.
    package static let maximumDepth = 64

    private(set) var index = 0
    private var depth = 0

    /// Checks once that all of `body` is UTF-8, so that slices of it between ASCII bytes are too.
    package init(checking body: Span<UInt8>) throws(KMSError) {
        do {
            _ = try UTF8Span(validating: body)
        } catch {
            throw .serialization("the body is not valid UTF-8")
        }
    }

    /// Makes sure that nothing but white space follows the value.
    package mutating func end(_ body: Span<UInt8>) throws(KMSError) {
        skipWhiteSpace(body)
        guard index == body.count else { throw unexpected("the end of the body", body) }
    }

    // MARK: Objects and arrays

    /// Enters an object, whose members `nextName` then delivers.
    package mutating func beginObject(_ body: Span<UInt8>) throws(KMSError) -> JSONObject {
        try open(UInt8(ascii: "{"), "a structure", body)
        return JSONObject()
    }

    /// Moves to the value of the next member and returns its name; nil, and behind the object, when there is none.
    package mutating func nextName(_ body: Span<UInt8>, in object: inout JSONObject) throws(KMSError) -> JSONString? {
        guard try continues(body, closing: UInt8(ascii: "}"), isFirst: &object.isFirst) else { return nil }
        guard index < body.count, body[index] == UInt8(ascii: "\"") else { throw unexpected("a member name", body) }
        let name = try scanString(body)
        skipWhiteSpace(body)
        guard index < body.count, body[index] == UInt8(ascii: ":") else { throw unexpected("a colon", body) }
        index += 1
        skipWhiteSpace(body)
        return name
    }

    /// Notes that the known member with this `number` was met and tells whether it has a value: null is the same as
    /// an absent member, and is consumed here.
    package mutating func hasValue(
        _ body: Span<UInt8>, member number: UInt64, of object: inout JSONObject
    ) throws(KMSError) -> Bool {
        let bit: UInt64 = 1 << number
        guard object.seen & bit == 0 else { throw .serialization("duplicate member before byte \(index)") }
        object.seen |= bit
        if try skipNull(body) { return false }
        object.valued |= bit
        return true
    }

    /// Skips the value of a member that the model does not know; its syntax and its name are checked nevertheless.
    package mutating func skipUnknown(
        _ body: Span<UInt8>, name: JSONString, in object: inout JSONObject
    ) throws(KMSError) {
        guard object.unknownNames.insert(try text(of: name, body)).inserted else {
            throw .serialization("duplicate member before byte \(index)")
        }
        try skipValue(body)
    }

    /// Enters an array.
    package mutating func beginArray(_ body: Span<UInt8>) throws(KMSError) {
        try open(UInt8(ascii: "["), "a list", body)
    }

    /// Moves to the next element; false, and behind the array, when there is none.
    package mutating func nextElement(_ body: Span<UInt8>, isFirst: inout Bool) throws(KMSError) -> Bool {
        try continues(body, closing: UInt8(ascii: "]"), isFirst: &isFirst)
    }

    private mutating func open(_ bracket: UInt8, _ kind: String, _ body: Span<UInt8>) throws(KMSError) {
        skipWhiteSpace(body)
        guard index < body.count, body[index] == bracket else { throw unexpected(kind, body) }
        index += 1
        depth += 1
        guard depth <= Self.maximumDepth else {
            throw .serialization("nesting deeper than \(Self.maximumDepth) at byte \(index - 1)")
        }
    }

    private mutating func continues(
        _ body: Span<UInt8>, closing bracket: UInt8, isFirst: inout Bool
    ) throws(KMSError) -> Bool {
        skipWhiteSpace(body)
        guard index < body.count else { throw unexpected("more", body) }
        if body[index] == bracket {
            index += 1
            depth -= 1
            return false
        }
        if isFirst {
            isFirst = false
            return true
        }
        guard body[index] == UInt8(ascii: ",") else { throw unexpected("a comma", body) }
        index += 1
        skipWhiteSpace(body)
        // An element that is not there is reported by whoever reads it; a closing bracket begins no value.
        return true
    }

    // MARK: Scalars

    /// Consumes a null if there is one.
    package mutating func skipNull(_ body: Span<UInt8>) throws(KMSError) -> Bool {
        guard index < body.count, body[index] == UInt8(ascii: "n") else { return false }
        try consume("null", body)
        return true
    }

    package mutating func boolean(_ body: Span<UInt8>) throws(KMSError) -> Bool {
        guard index < body.count else { throw unexpected("a boolean", body) }
        switch body[index] {
        case UInt8(ascii: "t"):
            try consume("true", body)
            return true
        case UInt8(ascii: "f"):
            try consume("false", body)
            return false
        default:
            throw unexpected("a boolean", body)
        }
    }

    package mutating func string(_ body: Span<UInt8>) throws(KMSError) -> JSONString {
        guard index < body.count, body[index] == UInt8(ascii: "\"") else { throw unexpected("a string", body) }
        return try scanString(body)
    }

    /// The text of a scanned string.
    package func text(of string: JSONString, _ body: Span<UInt8>) throws(KMSError) -> Text {
        do {
            guard string.isEscaped else {
                return Text(String(copying: try UTF8Span(validating: body.extracting(string.start..<string.end))))
            }
            let bytes = [UInt8](capacity: string.rawCount) { string.unescape(body, into: &$0) }
            return Text(String(copying: try UTF8Span(validating: bytes.span)))
        } catch {
            throw .serialization("a string before byte \(index) is not valid UTF-8")
        }
    }

    /// Skips any value, checking all of its syntax.
    package mutating func skipValue(_ body: Span<UInt8>) throws(KMSError) {
        skipWhiteSpace(body)
        guard index < body.count else { throw unexpected("a value", body) }
        switch body[index] {
        case UInt8(ascii: "{"):
            var object = try beginObject(body)
            while let name = try nextName(body, in: &object) { try skipUnknown(body, name: name, in: &object) }
        case UInt8(ascii: "["):
            try beginArray(body)
            var isFirst = true
            while try nextElement(body, isFirst: &isFirst) { try skipValue(body) }
        case UInt8(ascii: "\""):
            _ = try scanString(body)
        case UInt8(ascii: "t"):
            try consume("true", body)
        case UInt8(ascii: "f"):
            try consume("false", body)
        case UInt8(ascii: "n"):
            try consume("null", body)
        default:
            _ = try scanNumber(body, as: "a value")
        }
    }

    // MARK: Bytes

    mutating func advance() { index += 1 }

    @inline(__always)
    mutating func skipWhiteSpace(_ body: Span<UInt8>) {
        while index < body.count {
            switch body[index] {
            case 0x20, 0x0A, 0x0D, 0x09: index += 1
            default: return
            }
        }
    }

    private mutating func consume(_ literal: String, _ body: Span<UInt8>) throws(KMSError) {
        let expected = literal.utf8.span
        guard body.count - index >= expected.count else { throw unexpected(literal, body) }
        for offset in expected.indices where body[index + offset] != expected[offset] {
            throw unexpected(literal, body)
        }
        index += expected.count
    }

    private mutating func scanString(_ body: Span<UInt8>) throws(KMSError) -> JSONString {
        let start = index + 1
        var place = start
        var isEscaped = false
        while place < body.count {
            let byte = body[place]
            if byte == UInt8(ascii: "\"") {
                index = place + 1
                return JSONString(start: start, end: place, isEscaped: isEscaped)
            }
            if byte == UInt8(ascii: "\\") {
                guard let length = JSONString.escapeLength(body, at: place) else {
                    throw .serialization("malformed escape sequence at byte \(place)")
                }
                isEscaped = true
                place += length
                continue
            }
            guard byte >= 0x20 else { throw .serialization("raw control character at byte \(place)") }
            place += 1
        }
        index = body.count
        throw unexpected("the end of a string", body)
    }

    /// The error for a value of another kind than `expected`, in the words that AWS uses where they are known.
    func unexpected(_ expected: String, _ body: Span<UInt8>) -> KMSError {
        guard index < body.count else { return .serialization("unexpected end of the body, expected \(expected)") }
        switch body[index] {
        case UInt8(ascii: "{"): return .serialization("Start of structure or map found where not expected.")
        case UInt8(ascii: "["): return .serialization("Start of list found where not expected.")
        default: return .serialization("expected \(expected) at byte \(index)")
        }
    }
}

/// How far the reading of one object has come. Known members are numbered by generated code, up to 63.
package struct JSONObject {
    var isFirst = true
    var seen: UInt64 = 0
    var valued: UInt64 = 0
    var unknownNames: Set<Text> = []

    /// Whether the member with this number was there and was not null.
    package func hasValue(_ number: UInt64) -> Bool { valued & (1 << number) != 0 }
}
