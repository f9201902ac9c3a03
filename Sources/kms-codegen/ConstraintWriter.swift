/// Writes the constraints of the shapes that requests are made of, as static members that reading code names.
struct ConstraintWriter {
    let model: ServiceModel

    func write(_ names: [String]) throws -> String {
        let types = SwiftTypes(model: model)
        var bounds: [String] = []
        var texts: [String] = []
        var secretTexts: [String] = []
        var textNames: [String] = []
        for name in names.sorted() {
            let shape = try model.shape(name)
            guard types.hasConstraint(shape) else { continue }
            let declaration = "    package static let \(Naming.member(name)) = "
            switch (shape.type, shape.isSensitive) {
            case ("string", false):
                let pattern = shape.pattern.map { "Pattern(\(Naming.literal($0)))" }
                texts += Self.wrapped(declaration + "TextConstraint(", arguments(shape, pattern: pattern))
                textNames.append(Naming.member(name))
            case ("string", true):
                let pattern = try shape.pattern.map { try bytePattern($0, of: name) }
                secretTexts += Self.wrapped(declaration + "SecretTextConstraint(", arguments(shape, pattern: pattern))
            default:
                guard shape.pattern == nil else { throw CodegenError("\(name): only strings can have a pattern") }
                bounds.append(declaration + "Bounds(" + arguments(shape, pattern: nil).joined(separator: ", ") + ")")
            }
        }
        if !textNames.isEmpty {
            // For the test that every pattern of the model is understood.
            texts.append("\n    package static let all: [TextConstraint] = [")
            texts.append(textNames.map { "        .\($0)" }.joined(separator: ",\n") + (textNames.count > 1 ? "," : ""))
            texts.append("    ]")
        }
        return [("Bounds", bounds), ("TextConstraint", texts), ("SecretTextConstraint", secretTexts)]
            .filter { !$0.1.isEmpty }
            .map { type, lines in "extension \(type) {\n" + lines.joined(separator: "\n") + "\n}\n" }
            .joined(separator: "\n")
    }

    private func arguments(_ shape: ServiceModel.Shape, pattern: String?) -> [String] {
        [shape.min.map { "minimum: \($0)" }, shape.max.map { "maximum: \($0)" }, pattern.map { "pattern: \($0)" }]
            .compactMap(\.self)
    }

    private static func wrapped(_ start: String, _ arguments: [String]) -> [String] {
        let line = start + arguments.joined(separator: ", ") + ")"
        guard line.count > 120 else { return [line] }
        return [start] + [arguments.map { "        " + $0 }.joined(separator: ",\n")] + ["    )"]
    }

    /// A sensitive string is checked byte by byte, so its pattern has to be `^[set]+$` with a set of ASCII characters.
    private func bytePattern(_ pattern: String, of name: String) throws -> String {
        let refusal = CodegenError("\(name): a sensitive string can only have a pattern of the form ^[set]+$")
        guard pattern.hasPrefix("^["), pattern.hasSuffix("]+$"), pattern.allSatisfy(\.isASCII) else { throw refusal }
        let set = Array(pattern.utf8.dropFirst(2).dropLast(3))
        var ranges: [String] = []
        var index = 0
        func character() throws -> UInt8 {
            guard index < set.count else { throw refusal }
            if set[index] == UInt8(ascii: "\\") {
                index += 1
                // Only punctuation keeps its meaning behind a backslash.
                guard index < set.count, UInt8(ascii: "!")...UInt8(ascii: "/") ~= set[index] else { throw refusal }
            } else if [UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "^"), UInt8(ascii: "&")].contains(set[index])
            {
                throw refusal
            }
            index += 1
            return set[index - 1]
        }
        while index < set.count {
            let first = try character()
            var last = first
            if index + 1 < set.count, set[index] == UInt8(ascii: "-") {
                index += 1
                last = try character()
            }
            guard first <= last else { throw refusal }
            ranges.append("\(Self.hexadecimal(first))...\(Self.hexadecimal(last))")
        }
        return """
            BytePattern(
                        \(Naming.literal(pattern)),
                        [\(ranges.joined(separator: ", "))])
            """
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        (byte < 16 ? "0x0" : "0x") + String(byte, radix: 16, uppercase: true)
    }
}
