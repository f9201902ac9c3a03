import KMSModel

/// A text of a policy with policy variables, which every request fills anew (IAM User Guide, "IAM policy elements:
/// Variables and tags").
///
/// | Written | Means |
/// |---|---|
/// | `${aws:username}` | the value of the condition key |
/// | `${aws:username, 'nobody'}` | the same; where the request has no such key, `nobody` |
/// | `${*}`, `${?}`, `${$}` | the character itself |
///
/// What a variable puts in is literal: a `*` in a tag is no wildcard.
struct TextTemplate: Sendable, Hashable {
    private struct Variable: Hashable {
        let key: ConditionKey
        let defaultValue: Text?
    }

    private enum Piece: Hashable {
        /// Of a program of `Glob`.
        case program([UInt8])
        case variable(Variable)
    }

    private let pieces: [Piece]

    /// The program of a text that has no variables; nil when it has.
    var fixedProgram: [UInt8]? {
        switch pieces.count {
        case 0: return []
        case 1: if case .program(let program) = pieces[0] { return program } else { return nil }
        default: return nil
        }
    }

    /// - Parameter wildcards: whether `*` and `?` are wildcards; otherwise they are literal.
    /// - Throws: for variables that are not well formed or whose condition key does not exist. Only version 2012-10-17
    ///   has variables; in the older one, `${` is text.
    init(_ text: Text, version: PolicyDocument.Version, wildcards: Bool) throws(PolicyError) {
        let bytes = Array(text.utf8)
        var pieces: [Piece] = []
        var program: [UInt8] = []
        var index = 0
        while index < bytes.count {
            let isVariable =
                version == .version2012 && bytes[index] == UInt8(ascii: "$") && index + 1 < bytes.count
                && bytes[index + 1] == UInt8(ascii: "{")
            guard isVariable else {
                program.append(wildcards ? Glob.instruction(for: bytes[index]) : bytes[index])
                index += 1
                continue
            }
            var reader = VariableReader(bytes: bytes, index: index + 2)
            switch try reader.read() {
            case .character(let character):
                program.append(character)
            case .key(let name, let defaultValue):
                if !program.isEmpty { pieces.append(.program(program)) }
                program = []
                pieces.append(.variable(Variable(key: try ConditionKey(name: name), defaultValue: defaultValue)))
            }
            index = reader.index
        }
        if !program.isEmpty { pieces.append(.program(program)) }
        self.pieces = pieces
    }

    /// The program with the values of this request; nil when a variable has none and no default, or is a list, which
    /// AWS does not take as a variable either ("Single-valued vs. multivalued context keys").
    func program(in source: some ConditionSource) -> [UInt8]? {
        var program: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .program(let bytes):
                program.append(contentsOf: bytes)
            case .variable(let variable):
                guard !variable.key.isMultivalued else { return nil }
                switch source.values(of: variable.key) {
                case .single(let value):
                    program.append(contentsOf: value.utf8)
                case .multiple(let values) where values.count == 1:
                    program.append(contentsOf: values[0].utf8)
                case .multiple(let values) where !values.isEmpty:
                    return nil
                case .multiple, nil:
                    guard let value = variable.defaultValue else { return nil }
                    program.append(contentsOf: value.utf8)
                }
            }
        }
        return program
    }

    /// The text with the values of this request, of a template without wildcards; nil as for `program(in:)`.
    func text(in source: some ConditionSource) -> Text? {
        program(in: source).map { Text(String(decoding: $0, as: UTF8.self)) }
    }
}

/// Reads what stands between `${` and `}`.
private struct VariableReader {
    enum Content {
        case character(UInt8)
        case key(Text, defaultValue: Text?)
    }

    let bytes: [UInt8]
    /// Behind `${`; after reading, behind `}`.
    var index: Int

    mutating func read() throws(PolicyError) -> Content {
        let start = index
        if let character = byte(0), byte(1) == UInt8(ascii: "}"),
            character == UInt8(ascii: "*") || character == UInt8(ascii: "?") || character == UInt8(ascii: "$")
        {
            index += 2
            return .character(character)
        }
        let nameStart = index
        while let next = byte(0), next != UInt8(ascii: ","), next != UInt8(ascii: "}") {
            guard next != UInt8(ascii: "{"), next != UInt8(ascii: "'") else { throw malformed(from: start) }
            index += 1
        }
        let name = trimmed(nameStart..<index)
        guard !name.isEmpty else { throw malformed(from: start) }
        var defaultValue: Text?
        if byte(0) == UInt8(ascii: ",") {
            index += 1
            skipSpaces()
            guard byte(0) == UInt8(ascii: "'") else { throw malformed(from: start) }
            index += 1
            let valueStart = index
            while let next = byte(0), next != UInt8(ascii: "'") { index += 1 }
            defaultValue = text(valueStart..<index)
            index += 1
            skipSpaces()
        }
        guard byte(0) == UInt8(ascii: "}") else { throw malformed(from: start) }
        index += 1
        return .key(name, defaultValue: defaultValue)
    }

    private func byte(_ offset: Int) -> UInt8? {
        index + offset < bytes.count ? bytes[index + offset] : nil
    }

    private mutating func skipSpaces() {
        while byte(0) == UInt8(ascii: " ") { index += 1 }
    }

    private func trimmed(_ range: Range<Int>) -> Text {
        let space = UInt8(ascii: " ")
        guard let first = bytes[range].firstIndex(where: { $0 != space }),
            let last = bytes[range].lastIndex(where: { $0 != space })
        else { return "" }
        return text(first..<last + 1)
    }

    private func text(_ range: Range<Int>) -> Text {
        Text(String(decoding: bytes[range], as: UTF8.self))
    }

    private func malformed(from start: Int) -> PolicyError {
        let shown = text(start..<min(start + 40, bytes.count))
        return PolicyError(
            "a policy variable is ${key} or ${key, 'default value'}, not \(quoted(Text("${\(shown.string)")))")
    }
}
