/// Writes the Swift of enums: those of the model, the exceptions, and the list of operations.
struct EnumWriter {
    let model: ServiceModel

    func write(_ name: String, values: [String]) throws -> String {
        var lines = ["public enum \(name): String, KMSEnumeration {"]
        lines += try cases(name, values) { Naming.enumCase($0) }
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }

    /// The codes of all exceptions, their status, and a function that makes an error of each.
    func writeErrorCodes() throws -> String {
        let modelled = model.shapes.filter(\.value.isException).map { name, shape in
            (name: name, status: shape.fault ?? false ? 500 : 400)
        }
        let added = Supplement.exceptions.map { (name: $0.name, status: $0.httpStatus) }
        let all = (modelled + added).sorted { $0.name < $1.name }
        let purposes = Dictionary(uniqueKeysWithValues: Supplement.exceptions.map { ($0.name, $0.purpose) })

        var lines = ["/// The exceptions of the service model and, with a comment, those that it does not list."]
        lines.append("public enum KMSErrorCode: String, KMSEnumeration {")
        for line in try cases("KMSErrorCode", all.map(\.name), naming: { Naming.errorCase($0) }).enumerated() {
            if let purpose = purposes[all[line.offset].name] { lines.append("    /// Not in the model: \(purpose).") }
            lines.append(line.element)
        }
        lines += ["", "    /// The status of an HTTP answer with this error.", "    public var httpStatus: Int {"]
        lines.append("        switch self {")
        for status in Set(all.map(\.status)).subtracting([400]).sorted() {
            let names = all.filter { $0.status == status }.map { "." + Naming.errorCase($0.name) }
            lines.append("        case \(names.joined(separator: ", ")): \(status)")
        }
        lines += ["        default: 400", "        }", "    }", "}", "", "extension KMSError {"]
        for exception in all {
            let name = Naming.errorCase(exception.name)
            lines.append("    public static func \(name)(_ message: String? = nil) -> KMSError {")
            lines += ["        KMSError(.\(name), message)", "    }"]
        }
        lines.append("}")
        return lines.joined(separator: "\n") + "\n"
    }

    /// The operations by name, and the way from there to their types.
    func writeOperations() throws -> String {
        let names = model.operations.keys.sorted()
        var lines = ["/// The operations of the service model.", "public enum KMSOperation: String, KMSEnumeration {"]
        lines += try cases("KMSOperation", names) { Naming.enumCase($0) }
        lines += ["", "    /// What stands before the name of an operation in the header `X-Amz-Target`."]
        lines.append("    public static let targetPrefix = \(Naming.literal(model.metadata.targetPrefix))")
        lines += ["", "    /// The operation as a type."]
        lines.append("    public var shape: any KMSOperationShape.Type {")
        lines.append("        switch self {")
        lines += names.map { "        case .\(Naming.enumCase($0)): Operations.\($0).self" }
        lines += ["        }", "    }", "}"]
        return lines.joined(separator: "\n") + "\n"
    }

    private func cases(
        _ name: String, _ values: [String], naming: (String) -> String
    ) throws -> [String] {
        var taken: [String: String] = [:]
        return try values.map { value in
            let swiftName = naming(value)
            if let other = taken.updateValue(value, forKey: swiftName) {
                throw CodegenError("\(name): \(other) and \(value) would both be \(swiftName)")
            }
            let bare = swiftName.filter { $0 != "`" }
            return "    case \(swiftName)" + (bare == value ? "" : " = \(Naming.literal(value))")
        }
    }
}
