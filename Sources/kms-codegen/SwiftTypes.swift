/// The Swift types of shapes, and the calls that read them.
struct SwiftTypes {
    let model: ServiceModel

    /// The type of a value of the shape.
    func type(of name: String) throws -> String {
        let shape = try model.shape(name)
        switch shape.type {
        case "string":
            return shape.values != nil ? name : shape.isSensitive ? "SecretBytes" : "Text"
        case "blob":
            return shape.isSensitive ? "SecretBytes" : "[UInt8]"
        case "integer", "long": return "Int"
        case "boolean": return "Bool"
        case "timestamp": return "Timestamp"
        case "structure": return name
        case "list":
            return "[" + (try type(of: try element(of: name))) + "]"
        case "map":
            let key = try type(of: shape.key?.shape ?? "")
            return "[\(key): \(try type(of: shape.value?.shape ?? ""))]"
        default:
            throw CodegenError("shape \(name): type \(shape.type) is not known")
        }
    }

    /// The call on a `RequestReader` that reads a value of the shape as the member `member`.
    func readCall(_ name: String, member: String) throws -> String {
        let shape = try model.shape(name)
        let place = "body, at: \(Naming.literal(member))"
        let constraint = hasConstraint(shape) ? ", .\(Naming.member(name))" : ""
        switch shape.type {
        case "string" where shape.values != nil:
            return "enumeration(\(place), \(name).self)"
        case "string":
            return (shape.isSensitive ? "secretText" : "text") + "(\(place)\(constraint))"
        case "blob":
            return (shape.isSensitive ? "secretBlob" : "blob") + "(\(place)\(constraint))"
        case "integer", "long":
            return "integer(\(place)\(constraint))"
        case "boolean": return "boolean(body)"
        case "timestamp": return "timestamp(body)"
        case "structure": return "structure(\(place), \(name).self)"
        case "list":
            return try readListCall(name, place: place, constraint: constraint)
        case "map":
            guard try type(of: name) == "[Text: Text]", shape.min == nil, shape.max == nil,
                let key = shape.key, let value = shape.value,
                !hasConstraint(try model.shape(key.shape)), !hasConstraint(try model.shape(value.shape))
            else { throw CodegenError("map \(name): only unconstrained maps of strings can be read") }
            return "map(\(place))"
        default:
            throw CodegenError("shape \(name): type \(shape.type) is not known")
        }
    }

    private func readListCall(_ name: String, place: String, constraint: String) throws -> String {
        let elementName = try element(of: name)
        let element = try model.shape(elementName)
        switch element.type {
        case "string" where element.values != nil:
            return "enumerations(\(place), \(elementName).self\(constraint))"
        case "string" where !element.isSensitive:
            let rules = hasConstraint(element) ? ", element: .\(Naming.member(elementName))" : ""
            return "texts(\(place)\(constraint)\(rules))"
        case "structure":
            return "structures(\(place), \(elementName).self\(constraint))"
        default:
            throw CodegenError("list \(name): lists of \(element.type) cannot be read")
        }
    }

    func element(of list: String) throws -> String {
        guard let member = try model.shape(list).member else { throw CodegenError("list \(list) has no member") }
        return member.shape
    }

    func hasConstraint(_ shape: ServiceModel.Shape) -> Bool {
        shape.values == nil && (shape.min != nil || shape.max != nil || shape.pattern != nil)
    }

    /// Whether a value of the shape holds secret bytes anywhere, so that it cannot be compared.
    func holdsSecret(_ name: String) throws -> Bool {
        try model.reachable(from: [name]).contains { try model.shape($0).isSensitive }
    }
}
