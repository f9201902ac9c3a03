package import SecureMemory

/// The constraints of the service model that a request breaks, in the words of AWS.
///
/// All of them are collected before one ValidationException names them; values of sensitive members are never echoed.
package struct ConstraintViolations {
    /// One answer names no more than this many, so that a small request cannot cause a huge answer.
    package static let maximumCount = 100

    private enum Step {
        case member(String)
        case element(Int)
    }

    private var items: [String] = []
    private var path: [Step] = []

    package init() {}

    package var isEmpty: Bool { items.isEmpty }

    /// The ValidationException that names all of them, or nil when there are none.
    package var error: KMSError? {
        guard !items.isEmpty else { return nil }
        let noun = items.count == 1 ? "error" : "errors"
        return .validation("\(items.count) validation \(noun) detected: " + items.joined(separator: "; "))
    }

    // MARK: The place of what is being read

    /// Enters the structure, list or map that is the member `name`.
    package mutating func enter(_ name: String) { path.append(.member(name)) }

    /// Enters an element of a list; AWS counts from 1.
    package mutating func enter(element number: Int) { path.append(.element(number)) }

    package mutating func leave() { path.removeLast() }

    // MARK: Checks

    package mutating func missing(_ name: String) {
        record("Value null", name, "Member must not be null")
    }

    package mutating func check(_ value: Int, at name: String, _ bounds: Bounds) {
        if let maximum = bounds.maximum, value > maximum {
            record("Value '\(value)'", name, "Member must have value less than or equal to \(maximum)")
        }
        if let minimum = bounds.minimum, value < minimum {
            record("Value '\(value)'", name, "Member must have value greater than or equal to \(minimum)")
        }
    }

    package mutating func check(_ value: Text, at name: String, _ constraint: TextConstraint) {
        guard let broken = Self.broken(value, constraint) else { return }
        for rule in broken { record("Value '\(value)'", name, rule) }
    }

    package mutating func check(_ value: SecretBytes, at name: String, _ constraint: SecretTextConstraint) {
        value.withBytes { bytes in
            let lengthRules = Self.broken(length: countScalars(bytes), constraint.length)
            for rule in lengthRules { record("Value", name, rule) }
            if let pattern = constraint.pattern, !pattern.matches(bytes) {
                record("Value", name, Self.rule(pattern: pattern.source))
            }
        }
    }

    /// Checks the length of a blob, whose bytes are not echoed, sensitive or not.
    package mutating func check(byteCount: Int, at name: String, _ bounds: Bounds) {
        for rule in Self.broken(length: byteCount, bounds) { record("Value", name, rule) }
    }

    /// Checks the length of a list. `describe` gives the list as it is to be echoed.
    package mutating func check(elementCount: Int, at name: String, _ bounds: Bounds, describe: () -> String) {
        for rule in Self.broken(length: elementCount, bounds) { record("Value '\(describe())'", name, rule) }
    }

    /// Records an element of a list of scalars that breaks one of its rules: AWS names the list, and all the rules.
    package mutating func badElement(of values: [Text], at name: String, rules: [String]) {
        let list = values.map(\.string).joined(separator: ", ")
        record("Value '[\(list)]'", name, "Member must satisfy constraint: [\(rules.joined(separator: ", "))]")
    }

    package mutating func unknown(_ value: Text, at name: String, rule: String) {
        record("Value '\(value)'", name, rule)
    }

    // MARK: Rules

    /// The rules that `value` breaks; nil, without an allocation, when it breaks none.
    package static func broken(_ value: Text, _ constraint: TextConstraint) -> [String]? {
        let byteCount = value.utf8.count
        let maximum = constraint.length.maximum ?? .max
        let minimum = constraint.length.minimum ?? 0
        // A scalar is one to four bytes, so that most texts need not be counted.
        let lengthIsGood = byteCount <= maximum && (byteCount + 3) / 4 >= minimum
        let lengthRules = lengthIsGood ? [] : broken(length: value.scalarCount, constraint.length)
        // The expression never runs over a text that is too long: the model's length bounds its work.
        if let pattern = constraint.pattern, lengthIsGood || value.scalarCount <= maximum, !pattern.matches(value) {
            return lengthRules + [rule(pattern: pattern.source)]
        }
        return lengthRules.isEmpty ? nil : lengthRules
    }

    package static func rules(of constraint: TextConstraint) -> [String] {
        var rules: [String] = []
        if let maximum = constraint.length.maximum {
            rules.append("Member must have length less than or equal to \(maximum)")
        }
        if let minimum = constraint.length.minimum {
            rules.append("Member must have length greater than or equal to \(minimum)")
        }
        if let pattern = constraint.pattern { rules.append(rule(pattern: pattern.source)) }
        return rules
    }

    package static func rule<Value: KMSEnumeration>(values: Value.Type) -> String {
        let names = Value.allCases.map(\.rawValue).joined(separator: ", ")
        return "Member must satisfy enum value set: [\(names)]"
    }

    private static func rule(pattern: String) -> String {
        "Member must satisfy regular expression pattern: \(pattern)"
    }

    private static func broken(length: Int, _ bounds: Bounds) -> [String] {
        if let maximum = bounds.maximum, length > maximum {
            return ["Member must have length less than or equal to \(maximum)"]
        }
        if let minimum = bounds.minimum, length < minimum {
            return ["Member must have length greater than or equal to \(minimum)"]
        }
        return []
    }

    private mutating func record(_ value: String, _ name: String, _ rule: String) {
        guard items.count < Self.maximumCount else { return }
        items.append("\(value) at '\(place(of: name))' failed to satisfy constraint: \(rule)")
    }

    private func place(of name: String) -> String {
        var place = ""
        for step in path {
            switch step {
            case .member(let name): place += name + "."
            case .element(let number): place += "\(number).member."
            }
        }
        return place + name
    }
}
