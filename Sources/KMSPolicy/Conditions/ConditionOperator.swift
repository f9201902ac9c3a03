import KMSModel

/// An operator of a Condition element (IAM User Guide, "IAM JSON policy elements: Condition operators").
struct ConditionOperator: Sendable, Hashable {
    /// How a condition deals with several values in the request.
    enum Qualifier: String, Hashable {
        case forAllValues = "ForAllValues:"
        case forAnyValue = "ForAnyValue:"
    }

    /// How an ordered value of the request must stand to one of the policy.
    enum Relation: Hashable {
        case equal, less, lessOrEqual, greater, greaterOrEqual

        func holds<Value: Comparable>(_ value: Value, _ wanted: Value) -> Bool {
            switch self {
            case .equal: value == wanted
            case .less: value < wanted
            case .lessOrEqual: value <= wanted
            case .greater: value > wanted
            case .greaterOrEqual: value >= wanted
            }
        }
    }

    /// What is compared, and how.
    enum Test: Hashable {
        case stringEquals, stringEqualsIgnoreCase, stringLike
        case numeric(Relation)
        case date(Relation)
        case bool, binaryEquals, ipAddress, arnLike, null
    }

    let name: Text
    let qualifier: Qualifier?
    let test: Test
    /// The operator holds where its test does not.
    let isNegated: Bool
    let ifExists: Bool

    /// Names are taken as AWS writes them, in that case only.
    init(name: Text) throws(PolicyError) {
        var rest = Substring(name.string)
        var qualifier: Qualifier?
        for candidate in [Qualifier.forAllValues, .forAnyValue] where rest.hasPrefix(candidate.rawValue) {
            qualifier = candidate
            rest = rest.dropFirst(candidate.rawValue.count)
            break
        }
        let suffix = "IfExists"
        let ifExists = rest.hasSuffix(suffix)
        if ifExists { rest = rest.dropLast(suffix.count) }
        guard let (test, isNegated) = tests[Text(String(rest))] else {
            throw PolicyError("there is no condition operator \(quoted(name))")
        }
        // "You can add IfExists to the end of any condition operator name except the Null condition."
        if test == .null, ifExists {
            throw PolicyError(
                "the condition operator Null takes no IfExists: it is itself the test whether a key exists")
        }
        // Set operators compare values, and Null compares none: nothing says what the two would mean together.
        if test == .null, qualifier != nil {
            throw PolicyError("the condition operator Null takes no ForAllValues or ForAnyValue, not \(quoted(name))")
        }
        self.name = name
        self.qualifier = qualifier
        self.test = test
        self.isNegated = isNegated
        self.ifExists = ifExists
    }
}

/// ArnEquals and ArnLike "behave identically", and so do their negations.
private let tests: [Text: (ConditionOperator.Test, isNegated: Bool)] = [
    "StringEquals": (.stringEquals, false),
    "StringNotEquals": (.stringEquals, true),
    "StringEqualsIgnoreCase": (.stringEqualsIgnoreCase, false),
    "StringNotEqualsIgnoreCase": (.stringEqualsIgnoreCase, true),
    "StringLike": (.stringLike, false),
    "StringNotLike": (.stringLike, true),
    "NumericEquals": (.numeric(.equal), false),
    "NumericNotEquals": (.numeric(.equal), true),
    "NumericLessThan": (.numeric(.less), false),
    "NumericLessThanEquals": (.numeric(.lessOrEqual), false),
    "NumericGreaterThan": (.numeric(.greater), false),
    "NumericGreaterThanEquals": (.numeric(.greaterOrEqual), false),
    "DateEquals": (.date(.equal), false),
    "DateNotEquals": (.date(.equal), true),
    "DateLessThan": (.date(.less), false),
    "DateLessThanEquals": (.date(.lessOrEqual), false),
    "DateGreaterThan": (.date(.greater), false),
    "DateGreaterThanEquals": (.date(.greaterOrEqual), false),
    "Bool": (.bool, false),
    "BinaryEquals": (.binaryEquals, false),
    "IpAddress": (.ipAddress, false),
    "NotIpAddress": (.ipAddress, true),
    "ArnEquals": (.arnLike, false),
    "ArnLike": (.arnLike, false),
    "ArnNotEquals": (.arnLike, true),
    "ArnNotLike": (.arnLike, true),
    "Null": (.null, false),
]
