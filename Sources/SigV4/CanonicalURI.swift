/// Path and query in canonical form (AWS General Reference, "Create a canonical request", steps 2 and 3).
///
/// KMS knows only `/` without a query; everything else is here so that a signature is judged right before the request
/// is refused for its path.
enum CanonicalURI {
    /// Appends the path: empty and `.` segments removed, `..` resolved, then every byte encoded that is not unreserved.
    /// A path that is percent-encoded on the wire is thereby encoded twice, as all services but S3 want it.
    static func append(path: String, to text: inout [UInt8]) {
        let slash = UInt8(ascii: "/")
        if path == "/" || path.isEmpty {
            text.append(slash)
            return
        }
        var segments: [Substring.UTF8View] = []
        for segment in path.utf8.split(separator: slash) {
            if segment.elementsEqual(".".utf8) { continue }
            if segment.elementsEqual("..".utf8) {
                _ = segments.popLast()
            } else {
                segments.append(Substring(segment).utf8)
            }
        }
        for segment in segments {
            text.append(slash)
            for byte in segment { append(encoded: byte, to: &text) }
        }
        if segments.isEmpty || path.utf8.last == slash { text.append(slash) }
    }

    /// Appends the query: parameters decoded, encoded in the one canonical way and sorted by name, then value.
    static func append(query: String, to text: inout [UInt8]) {
        if query.isEmpty { return }
        var parameters: [(name: [UInt8], value: [UInt8])] = []
        for parameter in query.utf8.split(separator: UInt8(ascii: "&")) {
            let name = parameter.prefix { $0 != UInt8(ascii: "=") }
            let value = parameter[name.endIndex...].dropFirst()
            parameters.append((canonical(name), canonical(value)))
        }
        parameters.sort { left, right in
            left.name == right.name
                ? left.value.lexicographicallyPrecedes(right.value)
                : left.name.lexicographicallyPrecedes(right.name)
        }
        for (position, parameter) in parameters.enumerated() {
            if position > 0 { text.append(UInt8(ascii: "&")) }
            text.append(contentsOf: parameter.name)
            text.append(UInt8(ascii: "="))
            text.append(contentsOf: parameter.value)
        }
    }

    /// Decodes `%XX` (a stray percent sign stands for itself) and encodes again, so that equal values look equal.
    private static func canonical(_ text: some Collection<UInt8>) -> [UInt8] {
        let bytes = Array(text)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = nibble(bytes[index + 1]),
                let low = nibble(bytes[index + 2])
            {
                append(encoded: high << 4 | low, to: &result)
                index += 3
            } else {
                append(encoded: bytes[index], to: &result)
                index += 1
            }
        }
        return result
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// RFC 3986 §2.3 unreserved characters stand for themselves; everything else is `%` and two upper-case digits.
    private static func append(encoded byte: UInt8, to text: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            text.append(byte)
        default:
            text.append(UInt8(ascii: "%"))
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "A") - 10 + nibble
    }
}
