/// Builds the text whose digest is signed (AWS General Reference, "Create a canonical request"), as bytes, in one
/// buffer.
enum CanonicalRequest {
    /// - Parameters:
    ///   - signedHeaders: lower-case names, sorted.
    ///   - signedHeaderList: the same as one text.
    ///
    /// Errors: `duplicateHeader` and `incompleteSignature` for signed headers that are not there exactly once or
    /// carry control characters.
    static func bytes(
        of request: SignedRequest, headers: HeaderTable, signedHeaders: [ArraySlice<UInt8>],
        signedHeaderList: ArraySlice<UInt8>
    ) throws(SigV4Error) -> [UInt8] {
        let lineFeed = UInt8(ascii: "\n")
        var text: [UInt8] = []
        text.reserveCapacity(1_024)
        text.append(contentsOf: request.method.utf8)
        text.append(lineFeed)
        CanonicalURI.append(path: request.path, to: &text)
        text.append(lineFeed)
        CanonicalURI.append(query: request.query, to: &text)
        text.append(lineFeed)
        for name in signedHeaders {
            let value = try headers.requireOnce(name)
            text.append(contentsOf: name)
            text.append(UInt8(ascii: ":"))
            guard append(headerValue: value, to: &text) else {
                throw .incompleteSignature("A signed header must not contain control characters.")
            }
            text.append(lineFeed)
        }
        text.append(lineFeed)
        text.append(contentsOf: signedHeaderList)
        text.append(lineFeed)
        append(hexadecimal: request.bodyDigest, to: &text)
        return text
    }

    /// Appends lower-case hexadecimal digits.
    static func append(hexadecimal bytes: [UInt8], to text: inout [UInt8]) {
        for byte in bytes {
            text.append(digit(byte >> 4))
            text.append(digit(byte & 15))
        }
    }

    private static func digit(_ nibble: UInt8) -> UInt8 {
        nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
    }

    /// Appends the value without white space at its ends and with each run of white space inside as one space. False
    /// when it holds a control character: a line feed in a value could end one header and begin another.
    private static func append(headerValue value: String, to text: inout [UInt8]) -> Bool {
        let space = UInt8(ascii: " ")
        var isCanonical = true
        var previous = space
        for byte in value.utf8 {
            if byte < 0x20 {
                guard byte == UInt8(ascii: "\t") else { return false }
                isCanonical = false
            } else if byte == space && previous == space {
                isCanonical = false
            }
            previous = byte
        }
        if isCanonical && (previous != space || value.isEmpty) {
            text.append(contentsOf: value.utf8)
            return true
        }
        var pending = false
        var isFirst = true
        for byte in value.utf8 {
            if byte == space || byte == UInt8(ascii: "\t") {
                pending = !isFirst
            } else {
                if pending { text.append(space) }
                (pending, isFirst) = (false, false)
                text.append(byte)
            }
        }
        return true
    }
}
