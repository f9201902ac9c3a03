package import KMSModel

/// One operator with one key and its values (IAM User Guide, "IAM JSON policy elements: Condition").
///
/// | Request has | Operator | Negated operator | …IfExists | ForAllValues: | ForAnyValue: |
/// |---|---|---|---|---|---|
/// | no such key | no | yes | yes | yes | no (with IfExists: yes) |
/// | one value | some value of the policy fits | none fits | as without | as without | as without |
/// | several values | unknown | unknown | as without | each passes the operator | one passes the operator |
/// | an empty list | as no such key | as no such key | as no such key | yes | no |
///
/// "One passes" and "each passes" speak of the operator with its negation: `ForAnyValue:StringNotEquals` holds when
/// some value of the request differs from all values of the policy. To the set operators, the empty string as only
/// value is an empty list.
///
/// A value of the request that is not of the operator's type, and a policy variable without value, make the comparison
/// unknown, unless another value of the policy fits.
package struct Condition: Sendable, Hashable {
    let operation: ConditionOperator
    let key: ConditionKey
    /// As the policy has them.
    let values: [Text]
    private let operands: [Operand]

    /// - Throws: for operators and keys that do not exist, and for values that are not of the operator's type.
    package init(
        operatorName: Text, keyName: Text, values: [Text], version: PolicyDocument.Version
    ) throws(PolicyError) {
        operation = try ConditionOperator(name: operatorName)
        key = try ConditionKey(name: keyName)
        self.values = values
        var operands: [Operand] = []
        for value in values { operands.append(try Operand(value, for: operation, version: version)) }
        self.operands = operands
    }

    /// Whether the condition is one that KMS refuses in key policies as OverlyPermissiveCondition: ForAllValues with
    /// the value of one encryption context pair or request tag, which also lets requests pass that have none (KMS
    /// Developer Guide, "AWS KMS condition keys", "Using set operators with condition keys").
    package var isOverlyPermissive: Bool {
        guard operation.qualifier == .forAllValues else { return false }
        switch key {
        case .encryptionContext, .requestTag: return true
        default: return false
        }
    }

    package func evaluate(in source: some ConditionSource) -> Truth {
        let values = source.values(of: key)
        if operation.test == .null { return isAbsent(values) }
        guard let values else {
            if operation.ifExists { return .yes }
            return switch operation.qualifier {
            case .forAllValues: .yes
            case .forAnyValue: .no
            case nil: operation.isNegated ? .yes : .no
            }
        }
        let operands = filled(in: source)
        return switch operation.qualifier {
        case nil: evaluate(values, against: operands)
        case .forAllValues: evaluateAll(values, against: operands)
        case .forAnyValue: evaluateAny(values, against: operands)
        }
    }

    /// The operands with their variables filled in, once for all values of the request: both may be many. Nil stands
    /// for one that cannot be told.
    private func filled(in source: some ConditionSource) -> [Operand?] {
        operands.map { operand in
            guard case .perRequest(let template) = operand else { return operand }
            return template.program(in: source).flatMap { Operand(program: $0, for: operation.test) }
        }
    }

    /// An empty list is null, and so is, of a key that is a list, the empty string: the "null data set" that set
    /// operators pass over too. Of other keys, the empty string is a value: an empty tag is a tag.
    private func isAbsent(_ values: ConditionValues?) -> Truth {
        let isAbsent =
            switch values {
            case nil: true
            case .single(let value): key.isMultivalued && value.isEmpty
            case .multiple(let values): values.isEmpty
            }
        return operands.contains(.boolean(isAbsent)) ? .yes : .no
    }

    private func evaluate(_ values: ConditionValues, against operands: [Operand?]) -> Truth {
        switch values {
        case .single(let value): return evaluate(value, against: operands)
        case .multiple(let values):
            guard let first = values.first else { return operation.isNegated || operation.ifExists ? .yes : .no }
            return values.count == 1 ? evaluate(first, against: operands) : .unknown
        }
    }

    /// "ForAllValues also returns true if … the context key value resolves to a null dataset, such as an empty string."
    private func evaluateAll(_ values: ConditionValues, against operands: [Operand?]) -> Truth {
        switch values {
        case .single(let value): return value.isEmpty ? .yes : evaluate(value, against: operands)
        case .multiple(let values):
            var result = Truth.yes
            for value in values {
                switch evaluate(value, against: operands) {
                case .yes: continue
                case .no: return .no
                case .unknown: result = .unknown
                }
            }
            return result
        }
    }

    private func evaluateAny(_ values: ConditionValues, against operands: [Operand?]) -> Truth {
        switch values {
        case .single(let value): return value.isEmpty ? .no : evaluate(value, against: operands)
        case .multiple(let values):
            var result = Truth.no
            for value in values {
                switch evaluate(value, against: operands) {
                case .yes: return .yes
                case .no: continue
                case .unknown: result = .unknown
                }
            }
            return result
        }
    }

    /// One value of the request against all of the policy: ORed, or NORed by a negated operator.
    private func evaluate(_ value: Text, against operands: [Operand?]) -> Truth {
        guard let subject = Subject(value, for: operation.test) else { return .unknown }
        var result = Truth.no
        for operand in operands {
            switch fits(subject, operand) {
            case .yes: return operation.isNegated ? .no : .yes
            case .no: continue
            case .unknown: result = .unknown
            }
        }
        return result == .no && operation.isNegated ? .yes : result
    }

    private func fits(_ subject: Subject, _ operand: Operand?) -> Truth {
        guard let operand else { return .unknown }
        let fits: Bool
        switch (subject, operand) {
        case (.text(let text), .text(let wanted)): fits = text == wanted
        case (.text(let text), .folded(let wanted)): fits = text == wanted
        case (.text(let text), .glob(let glob)): fits = glob.matches(text)
        case (.text(let text), .arn(let pattern)): fits = pattern.matches(text)
        case (.boolean(let value), .boolean(let wanted)): fits = value == wanted
        case (.bytes(let bytes), .bytes(let wanted)): fits = bytes == wanted
        case (.address(let address), .network(let network)): fits = network.contains(address)
        case (.number(let value), .number(let wanted)):
            guard case .numeric(let relation) = operation.test else { return .unknown }
            fits = relation.holds(value, wanted)
        case (.moment(let value), .moment(let wanted)):
            guard case .date(let relation) = operation.test else { return .unknown }
            fits = relation.holds(value, wanted)
        // Both are read for the same operator, so no other pair comes up.
        default: return .unknown
        }
        return fits ? .yes : .no
    }
}
