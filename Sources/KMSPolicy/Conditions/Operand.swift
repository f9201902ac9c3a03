import KMSModel

/// A value of a condition, read for its operator.
enum Operand: Sendable, Hashable {
    case text(Text)
    /// Without case.
    case folded(Text)
    case glob(Glob)
    case arn(ARNPattern)
    case number(PolicyNumber)
    case moment(Moment)
    case boolean(Bool)
    case bytes([UInt8])
    case network(IPNetwork)
    /// Has policy variables: read again for every request.
    case perRequest(TextTemplate)

    /// - Throws: when the value is not of the operator's type.
    init(_ value: Text, for operation: ConditionOperator, version: PolicyDocument.Version) throws(PolicyError) {
        let test = operation.test
        // Null and its like ask for no value of the request that a variable could be compared with.
        if test != .null {
            let wildcards = test == .stringLike || test == .arnLike
            let template = try TextTemplate(value, version: version, wildcards: wildcards)
            guard let program = template.fixedProgram else {
                self = .perRequest(template)
                return
            }
            if let operand = Operand(program: program, for: test) {
                self = operand
                return
            }
        } else if let isAbsent = readBoolean(value) {
            self = .boolean(isAbsent)
            return
        }
        throw PolicyError("a value of \(operation.name) is \(test.valueDescription), not \(quoted(value))")
    }

    /// A value without variables, or whose variables have been filled in; nil when it is not of the operator's type.
    ///
    /// - Parameter program: a program of `Glob` where the operator has wildcards, UTF-8 elsewhere.
    init?(program: [UInt8], for test: ConditionOperator.Test) {
        switch test {
        case .stringLike:
            self = .glob(Glob(program: program))
        case .arnLike:
            guard let pattern = ARNPattern(program: program) else { return nil }
            self = .arn(pattern)
        default:
            self.init(Text(String(decoding: program, as: UTF8.self)), for: test)
        }
    }

    private init?(_ value: Text, for test: ConditionOperator.Test) {
        let bytes = value.string.utf8.span
        switch test {
        case .stringEquals:
            self = .text(value)
        case .stringEqualsIgnoreCase:
            self = .folded(caseFolded(value))
        case .numeric:
            guard let number = PolicyNumber(bytes) else { return nil }
            self = .number(number)
        case .date:
            guard let moment = Moment(bytes) else { return nil }
            self = .moment(moment)
        case .bool, .null:
            guard let boolean = readBoolean(value) else { return nil }
            self = .boolean(boolean)
        case .binaryEquals:
            guard let bytes = readBase64(bytes) else { return nil }
            self = .bytes(bytes)
        case .ipAddress:
            guard let network = IPNetwork(bytes) else { return nil }
            self = .network(network)
        case .stringLike, .arnLike:
            return nil
        }
    }
}

/// A value of a request, read for the operator that it is compared by.
enum Subject {
    case text(Text)
    case number(PolicyNumber)
    case moment(Moment)
    case boolean(Bool)
    case bytes([UInt8])
    case address(IPAddress)

    /// Nil when the value is not of the operator's type.
    init?(_ value: Text, for test: ConditionOperator.Test) {
        let bytes = value.string.utf8.span
        switch test {
        case .stringEquals, .stringLike, .null:
            self = .text(value)
        case .stringEqualsIgnoreCase:
            self = .text(caseFolded(value))
        case .arnLike:
            guard ARNPattern.isARN(bytes) else { return nil }
            self = .text(value)
        case .numeric:
            guard let number = PolicyNumber(bytes) else { return nil }
            self = .number(number)
        case .date:
            guard let moment = Moment(bytes) else { return nil }
            self = .moment(moment)
        case .bool:
            guard let boolean = readBoolean(value) else { return nil }
            self = .boolean(boolean)
        case .binaryEquals:
            guard let bytes = readBase64(bytes) else { return nil }
            self = .bytes(bytes)
        case .ipAddress:
            guard let address = IPAddress(bytes) else { return nil }
            self = .address(address)
        }
    }
}

extension ConditionOperator.Test {
    /// What values of the operator are, for messages.
    var valueDescription: String {
        switch self {
        case .stringEquals, .stringEqualsIgnoreCase, .stringLike: "a string"
        case .numeric: "a number"
        case .date: "a date as ISO 8601 (2026-01-31T12:00:00Z) or seconds since 1970"
        case .bool, .null: "true or false"
        case .binaryEquals: "base64"
        case .ipAddress: "an IP address or a network in CIDR notation"
        case .arnLike: "an ARN of six parts"
        }
    }
}

/// The Unicode lower-case mapping of every character, whatever the language: what `EqualsIgnoreCase` compares by. AWS
/// does not say how it folds what is not ASCII.
private func caseFolded(_ text: Text) -> Text {
    let bytes = text.string.utf8.span
    var isFolded = true
    for index in bytes.indices where bytes[index] >= 0x80 || (0x41...0x5A).contains(bytes[index]) { isFolded = false }
    return isFolded ? text : Text(text.string.lowercased())
}

/// `true` or `false`, in any case.
private func readBoolean(_ text: Text) -> Bool? {
    switch text.string.utf8.count {
    case 4: text.string.lowercased() == "true" ? true : nil
    case 5: text.string.lowercased() == "false" ? false : nil
    default: nil
    }
}

private func readBase64(_ text: Span<UInt8>) -> [UInt8]? {
    guard let count = Base64.decodedCount(text) else { return nil }
    var isBase64 = false
    let bytes = [UInt8](capacity: count) { isBase64 = Base64.decode(text, into: &$0) }
    return isBase64 ? bytes : nil
}
