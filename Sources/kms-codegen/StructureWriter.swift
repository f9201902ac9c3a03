/// Writes the Swift of a structure: its declaration, and how it is read or written.
struct StructureWriter {
    /// The directions in which a structure travels, and what it is there.
    struct Roles {
        var isRequest = false
        var isResponse = false
        var isRead = false
        var isWritten = false
    }

    private struct Member {
        let wireName: String
        let name: String
        let shape: String
        let type: String
        let isRequired: Bool

        var declaredType: String { isRequired ? type : type + "?" }
    }

    let types: SwiftTypes

    func write(_ name: String, _ roles: Roles) throws -> String {
        let shape = try types.model.shape(name)
        let required = Set(shape.required ?? [])
        let members = try (shape.members ?? [:]).sorted { $0.key < $1.key }.map { wireName, reference in
            Member(
                wireName: wireName, name: Naming.escaped(Naming.member(wireName)), shape: reference.shape,
                type: try types.type(of: reference.shape), isRequired: required.contains(wireName))
        }
        // The names that reading code uses for itself.
        for member in members where ["body", "reader", "object", "memberName"].contains(member.name) {
            throw CodegenError("structure \(name): a member cannot be called \(member.wireName)")
        }
        guard members.count <= 64 else { throw CodegenError("structure \(name) has more than 64 members") }

        var protocols = [
            roles.isRequest ? "KMSRequest" : roles.isRead ? "JSONReadable" : nil,
            roles.isResponse ? "KMSResponse" : roles.isWritten ? "JSONWritable" : nil,
        ].compactMap(\.self)
        if try !types.holdsSecret(name) { protocols.append("Hashable") }

        var lines = ["public struct \(name): \(protocols.joined(separator: ", ")) {"]
        lines += members.map { "    public var \($0.name): \($0.declaredType)" }
        if !members.isEmpty { lines.append("") }
        lines += initializer(members)
        if roles.isRead { lines += [""] + (try reading(name, members)) }
        if roles.isWritten { lines += [""] + writing(members) }
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }

    private func initializer(_ members: [Member]) -> [String] {
        guard !members.isEmpty else { return ["    public init() {}"] }
        // Required members first: a caller reads them first.
        let ordered = members.filter(\.isRequired) + members.filter { !$0.isRequired }
        let parameters = ordered.map { "        \($0.name): \($0.declaredType)\($0.isRequired ? "" : " = nil")" }
        return ["    public init("] + [parameters.joined(separator: ",\n")] + ["    ) {"]
            + members.map { "        self.\($0.name) = \($0.name)" } + ["    }"]
    }

    private func reading(_ name: String, _ members: [Member]) throws -> [String] {
        var lines = [
            "    public static func read(",
            "        _ body: Span<UInt8>, _ reader: inout RequestReader",
            "    ) throws(KMSError) -> \(name)? {",
        ]
        lines += members.map { "        var \($0.name): \($0.type)?" }
        lines.append("        var object = try reader.json.beginObject(body)")
        lines.append("        while let memberName = try reader.json.nextName(body, in: &object) {")
        var keyword = "            if"
        for (number, member) in members.enumerated() {
            lines.append("\(keyword) memberName.matches(\(Naming.literal(member.wireName)), body) {")
            lines.append("                if try reader.json.hasValue(body, member: \(number), of: &object) {")
            let call = try types.readCall(member.shape, member: Naming.member(member.wireName))
            lines += Self.wrapped("                    \(member.name) = try reader.", call)
            lines.append("                }")
            keyword = "            } else if"
        }
        if members.isEmpty {
            lines.append("            try reader.json.skipUnknown(body, name: memberName, in: &object)")
        } else {
            lines.append("            } else {")
            lines.append("                try reader.json.skipUnknown(body, name: memberName, in: &object)")
            lines.append("            }")
        }
        lines.append("        }")
        for (number, member) in members.enumerated() where member.isRequired {
            let place = Naming.literal(Naming.member(member.wireName))
            lines.append("        if !object.hasValue(\(number)) { reader.violations.missing(\(place)) }")
        }
        let required = members.filter(\.isRequired)
        if !required.isEmpty {
            let bindings = required.map { "let \($0.name)" }.joined(separator: ", ")
            lines.append("        guard \(bindings) else { return nil }")
        }
        let ordered = required + members.filter { !$0.isRequired }
        if ordered.isEmpty {
            lines.append("        return \(name)()")
        } else {
            lines.append("        return \(name)(")
            lines.append(ordered.map { "            \($0.name): \($0.name)" }.joined(separator: ",\n"))
            lines.append("        )")
        }
        lines.append("    }")
        return lines
    }

    private func writing(_ members: [Member]) -> [String] {
        ["    public func encode(to writer: inout JSONWriter) {", "        writer.beginObject()"]
            + members.map { "        writer.member(\(Naming.literal($0.wireName)), \($0.name))" }
            + ["        writer.endObject()", "    }"]
    }

    /// Breaks a call after its opening parenthesis when the line would pass 120 columns.
    private static func wrapped(_ start: String, _ call: String) -> [String] {
        guard start.count + call.count > 120, let parenthesis = call.firstIndex(of: "(") else { return [start + call] }
        let indentation = String(repeating: " ", count: start.prefix { $0 == " " }.count + 4)
        return [start + call[...parenthesis], indentation + call[call.index(after: parenthesis)...]]
    }
}
