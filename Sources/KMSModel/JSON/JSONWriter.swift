package import SecureMemory

/// Writes one JSON text as bytes. Members that are nil are left out.
///
/// Sensitive blobs become base64 directly in the output. When the output has to grow after that, the old storage is
/// cleared, so that no copy of them stays behind in freed memory.
public struct JSONWriter {
    private var bytes: [UInt8] = []
    private var needsComma = false
    private var holdsSecret = false

    package init(capacity: Int = 512) {
        bytes.reserveCapacity(capacity)
    }

    /// Takes the text out of the writer.
    package mutating func finish() -> [UInt8] {
        let text = bytes
        bytes = []
        return text
    }

    package mutating func beginObject() {
        append(UInt8(ascii: "{"))
        needsComma = false
    }

    package mutating func endObject() {
        append(UInt8(ascii: "}"))
        needsComma = true
    }

    // MARK: Members

    package mutating func member(_ name: String, _ value: Text?) {
        guard let value else { return }
        begin(name)
        string(value.string)
    }

    package mutating func member(_ name: String, _ value: Bool?) {
        guard let value else { return }
        begin(name)
        literal(value ? "true" : "false")
    }

    package mutating func member(_ name: String, _ value: Int?) {
        guard let value else { return }
        begin(name)
        literal(String(value))
    }

    package mutating func member(_ name: String, _ value: Timestamp?) {
        guard let value else { return }
        begin(name)
        literal(Self.seconds(value.millisecondsSinceEpoch))
    }

    package mutating func member(_ name: String, _ value: [UInt8]?) {
        guard let value else { return }
        begin(name)
        base64(value.span)
    }

    package mutating func member(_ name: String, _ value: SecretBytes?) {
        guard let value else { return }
        begin(name)
        holdsSecret = true
        value.withBytes { base64($0) }
    }

    package mutating func member<Value: KMSEnumeration>(_ name: String, _ value: Value?) {
        guard let value else { return }
        begin(name)
        string(value.rawValue)
    }

    package mutating func member<Value: JSONWritable>(_ name: String, _ value: Value?) {
        guard let value else { return }
        begin(name)
        value.encode(to: &self)
    }

    package mutating func member(_ name: String, _ values: [Text]?) {
        list(name, values) { writer, value in writer.string(value.string) }
    }

    package mutating func member<Value: KMSEnumeration>(_ name: String, _ values: [Value]?) {
        list(name, values) { writer, value in writer.string(value.rawValue) }
    }

    package mutating func member<Value: JSONWritable>(_ name: String, _ values: [Value]?) {
        list(name, values) { writer, value in value.encode(to: &writer) }
    }

    /// Writes a map, its keys in the order of their bytes.
    package mutating func member(_ name: String, _ map: [Text: Text]?) {
        guard let map else { return }
        begin(name)
        beginObject()
        for (key, value) in map.sorted(by: { $0.key < $1.key }) {
            if needsComma { append(UInt8(ascii: ",")) }
            string(key.string)
            append(UInt8(ascii: ":"))
            string(value.string)
        }
        endObject()
    }

    /// Writes a value that is JSON already, or null.
    package mutating func member(_ name: String, json: [UInt8]?) {
        begin(name)
        guard let json else { return literal("null") }
        reserve(json.count)
        bytes.append(contentsOf: json)
        needsComma = true
    }

    /// Writes an object, whose members `write` writes.
    package mutating func object(_ name: String, _ write: (inout JSONWriter) -> Void) {
        begin(name)
        beginObject()
        write(&self)
        endObject()
    }

    /// Writes a list of objects.
    package mutating func objects<Value>(
        _ name: String, _ values: [Value], _ write: (inout JSONWriter, Value) -> Void
    ) {
        list(name, values) { writer, value in
            writer.beginObject()
            write(&writer, value)
            writer.endObject()
        }
    }

    private mutating func list<Value>(
        _ name: String, _ values: [Value]?, _ write: (inout JSONWriter, Value) -> Void
    ) {
        guard let values else { return }
        begin(name)
        append(UInt8(ascii: "["))
        needsComma = false
        for value in values {
            if needsComma { append(UInt8(ascii: ",")) }
            write(&self, value)
            needsComma = true
        }
        append(UInt8(ascii: "]"))
        needsComma = true
    }

    /// Names of members come from the service model: ASCII, nothing to escape.
    private mutating func begin(_ name: String) {
        if needsComma { append(UInt8(ascii: ",")) }
        quoted(name.utf8.span)
        append(UInt8(ascii: ":"))
    }

    // MARK: Values

    /// RFC 8259 §7: the quote, the backslash and the control characters are escaped, all else is UTF-8 as it is.
    private mutating func string(_ string: String) {
        let source = string.utf8.span
        guard needsEscape(source) else { return quoted(source) }
        append(UInt8(ascii: "\""))
        for index in source.indices {
            let byte = source[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): escape(byte)
            case 0x08: escape(UInt8(ascii: "b"))
            case 0x09: escape(UInt8(ascii: "t"))
            case 0x0A: escape(UInt8(ascii: "n"))
            case 0x0C: escape(UInt8(ascii: "f"))
            case 0x0D: escape(UInt8(ascii: "r"))
            case 0..<0x20:
                let digits = String(byte, radix: 16)
                literal(digits.utf8.count == 1 ? #"\u000"# : #"\u00"#)
                literal(digits)
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
        needsComma = true
    }

    private func needsEscape(_ source: Span<UInt8>) -> Bool {
        for index in source.indices {
            let byte = source[index]
            if byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return true }
        }
        return false
    }

    private mutating func quoted(_ source: Span<UInt8>) {
        reserve(source.count + 2)
        bytes.append(addingCapacity: source.count + 2) { output in
            output.append(UInt8(ascii: "\""))
            for index in source.indices { output.append(source[index]) }
            output.append(UInt8(ascii: "\""))
        }
        needsComma = true
    }

    private mutating func escape(_ letter: UInt8) {
        append(UInt8(ascii: "\\"))
        append(letter)
    }

    private mutating func base64(_ source: Span<UInt8>) {
        let count = Base64.encodedCount(source.count)
        reserve(count + 2)
        bytes.append(addingCapacity: count + 2) { output in
            output.append(UInt8(ascii: "\""))
            Base64.encode(source, into: &output)
            output.append(UInt8(ascii: "\""))
        }
    }

    private mutating func literal(_ literal: String) {
        reserve(literal.utf8.count)
        bytes.append(contentsOf: literal.utf8)
    }

    private mutating func append(_ byte: UInt8) {
        reserve(1)
        bytes.append(byte)
    }

    /// Every growth of the output goes through here.
    @inline(__always)
    private mutating func reserve(_ count: Int) {
        if bytes.capacity - bytes.count < count { grow(by: count) }
    }

    private mutating func grow(by count: Int) {
        var larger: [UInt8] = []
        larger.reserveCapacity(max(bytes.capacity * 2, bytes.count + count + 256))
        larger.append(contentsOf: bytes)
        swap(&bytes, &larger)
        if holdsSecret { wipe(&larger) }
    }

    /// Seconds with up to three digits of fraction, at least one: `1572216195.0`, as the API reference shows them.
    private static func seconds(_ milliseconds: Int) -> String {
        let (whole, fraction) = milliseconds.magnitude.quotientAndRemainder(dividingBy: 1000)
        var digits = String(fraction)
        while digits.utf8.count < 3 { digits = "0" + digits }
        while digits.utf8.count > 1, digits.utf8.last == UInt8(ascii: "0") { digits.removeLast() }
        return "\(milliseconds < 0 ? "-" : "")\(whole).\(digits)"
    }
}
