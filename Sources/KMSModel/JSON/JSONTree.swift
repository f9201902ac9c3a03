/// Why a text is not JSON that `JSONTree` takes: a phrase that says what is wrong, and at which byte.
package struct JSONTreeError: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String
    /// From 0; where reading stopped.
    package let byte: Int

    /// - Parameter problem: some of the reader's messages, those in AWS's words, do not say where.
    fileprivate init(_ problem: String, byte: Int) {
        description = problem.contains("byte") ? problem : "\(problem) (at byte \(byte))"
        self.byte = byte
    }
}

/// A JSON value, for documents whose form no generated type knows, such as policies.
///
/// Everything is refused that `JSONReader` refuses: nesting deeper than `JSONReader.maximumDepth`, duplicate members at
/// any level, lone surrogates, bytes that are not UTF-8, anything after the value. Reading takes time linear in the
/// text.
package indirect enum JSONTree: Sendable, Hashable {
    /// One member of an object.
    package struct Member: Sendable, Hashable {
        package let name: Text
        package let value: JSONTree

        package init(name: Text, value: JSONTree) {
            self.name = name
            self.value = value
        }
    }

    /// The members in the order of the text.
    case object([Member])
    case array([JSONTree])
    case string(Text)
    /// As the text writes it, for example `1e3`.
    case number(Text)
    case boolean(Bool)
    case null

    package init(parsing text: Text) throws(JSONTreeError) {
        try self.init(parsing: text.string.utf8.span)
    }

    package init(parsing bytes: Span<UInt8>) throws(JSONTreeError) {
        var index = 0
        do {
            var reader = try JSONReader(checking: bytes)
            defer { index = reader.index }
            reader.skipWhiteSpace(bytes)
            self = try Self.value(&reader, bytes)
            try reader.end(bytes)
        } catch {
            throw JSONTreeError(error.message ?? "not JSON", byte: index)
        }
    }

    /// What kind of value it is, for messages.
    package var kindName: String {
        switch self {
        case .object: "an object"
        case .array: "an array"
        case .string: "a string"
        case .number: "a number"
        case .boolean: "a boolean"
        case .null: "null"
        }
    }

    /// The recursion ends where the reader refuses the depth.
    private static func value(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(KMSError) -> JSONTree {
        guard reader.index < bytes.count else { throw reader.unexpected("a value", bytes) }
        switch bytes[reader.index] {
        case UInt8(ascii: "{"):
            return .object(try members(&reader, bytes))
        case UInt8(ascii: "["):
            try reader.beginArray(bytes)
            var values: [JSONTree] = []
            var isFirst = true
            while try reader.nextElement(bytes, isFirst: &isFirst) { values.append(try value(&reader, bytes)) }
            return .array(values)
        case UInt8(ascii: "\""):
            let string = try reader.string(bytes)
            return .string(try reader.text(of: string, bytes))
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            return .boolean(try reader.boolean(bytes))
        case UInt8(ascii: "n"):
            _ = try reader.skipNull(bytes)
            return .null
        default:
            let number = try reader.scanNumber(bytes, as: "a value")
            let literal = JSONString(start: number.start, end: number.end, isEscaped: false)
            return .number(try reader.text(of: literal, bytes))
        }
    }

    private static func members(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(KMSError) -> [Member] {
        var object = try reader.beginObject(bytes)
        var members: [Member] = []
        var names: Set<Text> = []
        while let scanned = try reader.nextName(bytes, in: &object) {
            let name = try reader.text(of: scanned, bytes)
            guard names.insert(name).inserted else {
                throw .serialization("duplicate member at byte \(scanned.start - 1)")
            }
            members.append(Member(name: name, value: try value(&reader, bytes)))
        }
        return members
    }
}
