package import KMSModel

/// The parameters of a request of the AWS query protocol: a body of the media type application/x-www-form-urlencoded,
/// read strictly (URL Standard §5; RFC 3986 §2.1).
///
/// Each parameter is `name=value`; both may hold `%XX` and `+` for a space, and are UTF-8. Refused, as MalformedInput:
/// parameters without `=` or without a name, characters that should have been encoded, `%` without two digits, bytes
/// that are not UTF-8, names that occur twice, and more parameters than any request has.
package struct FormParameters: Sendable {
    /// AssumeRole has at most 50 tags of two parameters, 50 transitive keys, 10 policies and a dozen others.
    package static let maximumCount = 256

    private var values: [Text: Text] = [:]

    package init(decoding body: Span<UInt8>) throws(STSError) {
        var index = 0
        while index < body.count {
            guard values.count < Self.maximumCount else {
                throw .malformedInput("The request has more than \(Self.maximumCount) parameters.")
            }
            let name = try Self.text(body, &index, until: UInt8(ascii: "="))
            guard index < body.count, body[index] == UInt8(ascii: "="), !name.isEmpty else {
                throw .malformedInput("Parameter \(values.count + 1) of the request is not of the form name=value.")
            }
            index += 1
            let value = try Self.text(body, &index, until: nil)
            guard values.updateValue(value, forKey: name) == nil else {
                throw .malformedInput("Parameter \(values.count) of the request occurs twice.")
            }
            if index < body.count {
                index += 1
                // What follows an ampersand is a parameter.
                guard index < body.count else { throw .malformedInput("The request ends in '&'.") }
            }
        }
    }

    /// The value of a parameter. An empty one is there, and not the same as none.
    package subscript(name: Text) -> Text? { values[name] }

    package var count: Int { values.count }

    /// The members of a list of texts: `Name.member.1`, `Name.member.2` and so on.
    ///
    /// SDKs write an empty list as `Name=`, which is accepted. Numbers count from 1 without a gap.
    package func list(_ name: Text) throws(STSError) -> [Text] {
        try structures(name, members: [""]).compactMap { $0[""] }
    }

    /// The members of a list of structures: `Name.member.1.Key`, `Name.member.1.Value` and so on. A member of a
    /// structure may be missing, a whole structure may not.
    package func structures(_ name: Text, members: [Text]) throws(STSError) -> [[Text: Text]] {
        var structures: [[Text: Text]] = []
        var taken = 0
        while true {
            var structure: [Text: Text] = [:]
            for member in members {
                let suffix = member.isEmpty ? "" : ".\(member)"
                structure[member] = values["\(name).member.\(String(structures.count + 1))\(suffix)"]
            }
            if structure.isEmpty { break }
            taken += structure.count
            structures.append(structure)
        }
        let prefix = "\(name)."
        let given = values.keys.count { $0.utf8.starts(with: prefix.utf8) }
        guard given == taken, values[name]?.isEmpty ?? true else {
            throw .malformedInput("The members of \(name) must be numbered from 1 without a gap.")
        }
        return structures
    }

    /// Decodes up to `end`, or an ampersand, or the end of the body.
    private static func text(_ body: Span<UInt8>, _ index: inout Int, until end: UInt8?) throws(STSError) -> Text {
        var bytes: [UInt8] = []
        scan: while index < body.count {
            let byte = body[index]
            switch byte {
            case end, UInt8(ascii: "&"):
                break scan
            case UInt8(ascii: "+"):
                bytes.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard index + 2 < body.count, let high = nibble(body[index + 1]), let low = nibble(body[index + 2])
                else {
                    throw .malformedInput("The request has a '%' without two hexadecimal digits at byte \(index).")
                }
                bytes.append(high << 4 | low)
                index += 2
            case 0x21...0x7e:
                bytes.append(byte)
            default:
                throw .malformedInput("The request has a character at byte \(index) that must be percent-encoded.")
            }
            index += 1
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw .malformedInput("The request has a text before byte \(index) that is not UTF-8.")
        }
        return Text(text)
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
