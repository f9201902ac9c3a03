public import KMSModel

extension PolicyDocument {
    /// The layout in which GetKeyPolicy answers: a member a line, two spaces a level, ` : ` after a name, arrays on the
    /// line where they begin. The order of members stays.
    ///
    /// - Returns: `text` itself when it is not JSON.
    public static func prettyPrinted(_ text: Text) -> Text {
        guard let tree = try? JSONTree(parsing: text) else { return text }
        var printer = PrettyPrinter()
        printer.value(tree, level: 0)
        return Text(String(decoding: printer.bytes, as: UTF8.self))
    }
}

private struct PrettyPrinter {
    private(set) var bytes: [UInt8] = []

    mutating func value(_ tree: JSONTree, level: Int) {
        switch tree {
        case .object(let members):
            guard !members.isEmpty else { return literal("{ }") }
            literal("{")
            for (index, member) in members.enumerated() {
                if index > 0 { literal(",") }
                newLine(level + 1)
                string(member.name)
                literal(" : ")
                value(member.value, level: level + 1)
            }
            newLine(level)
            literal("}")
        case .array(let values):
            guard !values.isEmpty else { return literal("[ ]") }
            literal("[ ")
            for (index, element) in values.enumerated() {
                if index > 0 { literal(", ") }
                value(element, level: level)
            }
            literal(" ]")
        case .string(let text): string(text)
        case .number(let text): literal(text.string)
        case .boolean(let value): literal(value ? "true" : "false")
        case .null: literal("null")
        }
    }

    private mutating func literal(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func newLine(_ level: Int) {
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * level))
    }

    /// RFC 8259 §7: what must be escaped is, and nothing else.
    private mutating func string(_ text: Text) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""): literal(#"\""#)
            case UInt8(ascii: "\\"): literal(#"\\"#)
            case 0x08: literal(#"\b"#)
            case 0x09: literal(#"\t"#)
            case 0x0A: literal(#"\n"#)
            case 0x0C: literal(#"\f"#)
            case 0x0D: literal(#"\r"#)
            case 0..<0x20:
                literal(byte < 0x10 ? #"\u000"# : #"\u00"#)
                literal(String(byte, radix: 16, uppercase: true))
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
