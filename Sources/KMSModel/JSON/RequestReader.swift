package import SecureMemory

/// Reads a request: the JSON text, and on the way the constraints that it breaks.
///
/// Its methods are what generated code is made of. Each reads one value that is not null and checks it; a value that
/// cannot be represented (an unknown enum value) is recorded as a violation and read as nil.
public struct RequestReader {
    package var json: JSONReader
    package var violations = ConstraintViolations()

    package init(checking body: Span<UInt8>) throws(KMSError) {
        self.json = try JSONReader(checking: body)
    }

    package mutating func text(
        _ body: Span<UInt8>, at name: String, _ constraint: TextConstraint? = nil
    ) throws(KMSError) -> Text {
        let text = try json.text(of: try json.string(body), body)
        if let constraint { violations.check(text, at: name, constraint) }
        return text
    }

    /// A sensitive string: its bytes go from the body into memory that is cleared.
    package mutating func secretText(
        _ body: Span<UInt8>, at name: String, _ constraint: SecretTextConstraint? = nil
    ) throws(KMSError) -> SecretBytes {
        let string = try json.string(body)
        let secret = SecretBytes(capacity: string.rawCount) { string.unescape(body, into: &$0) }
        if let constraint { violations.check(secret, at: name, constraint) }
        return secret
    }

    package mutating func blob(
        _ body: Span<UInt8>, at name: String, _ bounds: Bounds? = nil
    ) throws(KMSError) -> [UInt8] {
        let string = try json.string(body)
        let blob: [UInt8]
        if string.isEscaped {
            let text = [UInt8](capacity: string.rawCount) { string.unescape(body, into: &$0) }
            blob = try decodeBlob(text.span)
        } else {
            blob = try decodeBlob(body.extracting(string.start..<string.end))
        }
        if let bounds { violations.check(byteCount: blob.count, at: name, bounds) }
        return blob
    }

    /// A sensitive blob: decoded from the body into memory that is cleared.
    package mutating func secretBlob(
        _ body: Span<UInt8>, at name: String, _ bounds: Bounds? = nil
    ) throws(KMSError) -> SecretBytes {
        let string = try json.string(body)
        let secret: SecretBytes
        if string.isEscaped {
            // Some encoders write "/" and "+" of base64 as escapes; the unescaped text is as secret as the bytes.
            let text = SecretBytes(capacity: string.rawCount) { string.unescape(body, into: &$0) }
            secret = try text.withBytes { bytes throws(KMSError) in try decodeSecret(bytes) }
        } else {
            secret = try decodeSecret(body.extracting(string.start..<string.end))
        }
        if let bounds { violations.check(byteCount: secret.count, at: name, bounds) }
        return secret
    }

    package mutating func integer(
        _ body: Span<UInt8>, at name: String, _ bounds: Bounds? = nil
    ) throws(KMSError) -> Int {
        let value = try json.integer(body)
        if let bounds { violations.check(value, at: name, bounds) }
        return value
    }

    package mutating func boolean(_ body: Span<UInt8>) throws(KMSError) -> Bool { try json.boolean(body) }

    package mutating func timestamp(_ body: Span<UInt8>) throws(KMSError) -> Timestamp { try json.timestamp(body) }

    package mutating func enumeration<Value: KMSEnumeration>(
        _ body: Span<UInt8>, at name: String, _ type: Value.Type
    ) throws(KMSError) -> Value? {
        let string = try json.string(body)
        if let value = Self.value(string, body, type) { return value }
        violations.unknown(
            try json.text(of: string, body), at: name, rule: ConstraintViolations.rule(values: type))
        return nil
    }

    package mutating func structure<Value: JSONReadable>(
        _ body: Span<UInt8>, at name: String, _ type: Value.Type
    ) throws(KMSError) -> Value? {
        violations.enter(name)
        defer { violations.leave() }
        return try Value.read(body, &self)
    }

    static func value<Value: KMSEnumeration>(
        _ string: JSONString, _ body: Span<UInt8>, _ type: Value.Type
    ) -> Value? {
        for value in type.allCases where string.matches(value.rawValue, body) { return value }
        return nil
    }

    private func decodeBlob(_ text: Span<UInt8>) throws(KMSError) -> [UInt8] {
        guard let count = Base64.decodedCount(text) else { throw badBlob }
        var isGood = false
        let blob = [UInt8](capacity: count) { isGood = Base64.decode(text, into: &$0) }
        guard isGood else { throw badBlob }
        return blob
    }

    private func decodeSecret(_ text: Span<UInt8>) throws(KMSError) -> SecretBytes {
        guard let count = Base64.decodedCount(text) else { throw badBlob }
        var isGood = false
        let secret = SecretBytes(capacity: count) { isGood = Base64.decode(text, into: &$0) }
        guard isGood else { throw badBlob }
        return secret
    }

    private var badBlob: KMSError { .serialization("the blob before byte \(json.index) is not base64") }
}
