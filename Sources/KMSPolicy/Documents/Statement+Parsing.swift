import KMSModel

extension Statement {
    /// - Parameter place: how messages name the statement.
    init(
        _ members: [JSONTree.Member], _ kind: PolicyDocument.Kind, _ version: PolicyDocument.Version, place: String
    ) throws(PolicyError) {
        let elements = try PolicyElements(
            members,
            known: [
                "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
                "Condition",
            ],
            place: place)
        self.init(
            sid: try Self.sid(elements, kind, place),
            effect: try Self.effect(elements, place),
            principals: try Self.principals(elements, kind, place),
            actions: try Self.actions(elements, kind, place),
            resources: try Self.resources(elements, kind, version, place),
            conditions: try Self.conditions(elements, kind, version, place))
    }

    private static func sid(
        _ elements: PolicyElements, _ kind: PolicyDocument.Kind, _ place: String
    ) throws(PolicyError) -> Text? {
        guard let tree = elements["Sid"] else { return nil }
        let sid = try PolicyElements.text(tree, "\(place).Sid")
        // KMS Developer Guide, "Key policy format": of key policies it may have spaces. IAM User Guide, "IAM JSON
        // policy elements: Sid": of others it has letters and digits.
        guard kind == .keyPolicy || sid.utf8.allSatisfy(ActionSyntax.isLetterOrDigit) else {
            throw PolicyError(
                .malformed, "\(place).Sid is \(quoted(sid)); it may have letters and digits only")
        }
        return sid
    }

    private static func effect(_ elements: PolicyElements, _ place: String) throws(PolicyError) -> Effect {
        guard let tree = elements["Effect"] else { throw PolicyError(.malformed, "\(place) has no Effect") }
        let text = try PolicyElements.text(tree, "\(place).Effect")
        guard let effect = Effect(rawValue: text.string) else {
            throw PolicyError(
                .malformed, "\(place).Effect is \(quoted(text)); it must be \"Allow\" or \"Deny\"")
        }
        return effect
    }

    // MARK: Principal

    private static func principals(
        _ elements: PolicyElements, _ kind: PolicyDocument.Kind, _ place: String
    ) throws(PolicyError) -> Principals {
        let element = try elements.either("Principal", or: "NotPrincipal")
        guard kind != .identityPolicy else {
            guard let element else { return .whoeverItIsAttachedTo }
            throw PolicyError(
                .malformed,
                "\(place) has \(element.name); a policy of a user or role speaks of whoever it is attached to")
        }
        guard let element else { throw PolicyError(.malformed, "\(place) has no Principal") }
        let patterns = try patterns(element.value, "\(place).\(element.name)")
        return element.isNot ? .allBut(patterns) : .these(patterns)
    }

    private static func patterns(_ tree: JSONTree, _ place: String) throws(PolicyError) -> [PrincipalPattern] {
        switch tree {
        case .string("*"):
            return [.everyone]
        case .object(let members):
            guard !members.isEmpty else { throw PolicyError(.malformed, "\(place) is empty; it must name a principal") }
            var patterns: [PrincipalPattern] = []
            for member in members {
                guard let kind = PrincipalKind(rawValue: member.name.string) else {
                    throw PolicyError(
                        .malformed,
                        "\(place) has an unknown kind of principal \(quoted(member.name)); "
                            + "known are \"AWS\", \"Service\" and \"Federated\"")
                }
                for text in try PolicyElements.texts(member.value, "\(place).\(kind.rawValue)") {
                    do {
                        patterns.append(try kind.pattern(text))
                    } catch {
                        throw error.at(place)
                    }
                }
            }
            return patterns
        case .string(let text):
            throw PolicyError(
                .invalidPrincipal,
                "\(place) is \(quoted(text)); it must be \"*\" or an object such as {\"AWS\": \"...\"}")
        default:
            throw PolicyError(.malformed, "\(place) is \(tree.kindName); it must be \"*\" or an object")
        }
    }

    private enum PrincipalKind: String {
        case aws = "AWS"
        case service = "Service"
        case federated = "Federated"
        case canonicalUser = "CanonicalUser"

        func pattern(_ text: Text) throws(PolicyError) -> PrincipalPattern {
            switch self {
            case .aws: return try PrincipalPattern(arnOrID: text)
            case .service: return try PrincipalPattern(service: text)
            case .federated: return try PrincipalPattern(federated: text)
            case .canonicalUser:
                throw PolicyError.principal(text, "is a canonical user id, which only Amazon S3 takes")
            }
        }
    }

    // MARK: Action and Resource

    private static func actions(
        _ elements: PolicyElements, _ kind: PolicyDocument.Kind, _ place: String
    ) throws(PolicyError) -> Actions {
        guard let element = try elements.either("Action", or: "NotAction") else {
            // KMS API Reference, PutKeyPolicy, "Policy": accepted, and the statement has no effect.
            if kind == .keyPolicy { return .none }
            throw PolicyError(.malformed, "\(place) has no Action")
        }
        var patterns: [Glob] = []
        for text in try PolicyElements.texts(element.value, "\(place).\(element.name)") {
            do {
                patterns.append(Glob(try ActionSyntax.pattern(text, kind)))
            } catch {
                throw error.at("\(place).\(element.name)")
            }
        }
        return element.isNot ? .allBut(patterns) : .these(patterns)
    }

    private static func resources(
        _ elements: PolicyElements, _ kind: PolicyDocument.Kind, _ version: PolicyDocument.Version, _ place: String
    ) throws(PolicyError) -> Resources {
        guard let element = try elements.either("Resource", or: "NotResource") else {
            switch kind {
            case .keyPolicy: return .none
            case .trustPolicy: return .whatItIsAttachedTo
            case .identityPolicy: throw PolicyError(.malformed, "\(place) has no Resource")
            }
        }
        guard kind != .trustPolicy else {
            throw PolicyError(
                .malformed, "\(place) has \(element.name); a trust policy speaks of the role that it is attached to")
        }
        var patterns: [TextPattern] = []
        for text in try PolicyElements.texts(element.value, "\(place).\(element.name)") {
            do {
                try ResourceSyntax.check(text)
                patterns.append(try TextPattern(text, version: version))
            } catch {
                throw error.at("\(place).\(element.name)")
            }
        }
        return element.isNot ? .allBut(patterns) : .these(patterns)
    }

    // MARK: Condition

    private static func conditions(
        _ elements: PolicyElements, _ kind: PolicyDocument.Kind, _ version: PolicyDocument.Version, _ place: String
    ) throws(PolicyError) -> [Condition] {
        guard let tree = elements["Condition"] else { return [] }
        let place = "\(place).Condition"
        guard case .object(let operators) = tree else {
            throw PolicyError(.malformed, "\(place) is \(tree.kindName); it must be an object")
        }
        var conditions: [Condition] = []
        for element in operators {
            let place = "\(place)[\(quoted(element.name))]"
            guard case .object(let keys) = element.value, !keys.isEmpty else {
                throw PolicyError(.malformed, "\(place) must be an object with a condition key")
            }
            for key in keys {
                let place = "\(place)[\(quoted(key.name))]"
                let values = try conditionValues(key.value, place)
                do throws(PolicyError) {
                    let condition = try Condition(
                        operatorName: element.name, keyName: key.name, values: values, version: version)
                    if kind == .keyPolicy { try Self.checkIsForKeyPolicies(condition) }
                    conditions.append(condition)
                } catch {
                    throw error.at(place)
                }
            }
        }
        return conditions
    }

    private static func checkIsForKeyPolicies(_ condition: Condition) throws(PolicyError) {
        if condition.isOverlyPermissive { throw PolicyError.overlyPermissive }
        // KMS Developer Guide, kms:ResourceAliases: "Policy type: IAM policies only".
        if condition.key == .known(.resourceAliases) {
            throw PolicyError(
                .malformed, "kms:ResourceAliases works in identity policies only; use kms:RequestAlias in key policies")
        }
    }

    private static func conditionValues(_ tree: JSONTree, _ place: String) throws(PolicyError) -> [Text] {
        guard case .array(let trees) = tree else { return [try conditionValue(tree, place)] }
        guard !trees.isEmpty else { throw PolicyError(.malformed, "\(place) is empty; it must have a value") }
        var values: [Text] = []
        values.reserveCapacity(trees.count)
        for tree in trees { values.append(try conditionValue(tree, "a value of \(place)")) }
        return values
    }

    private static func conditionValue(_ tree: JSONTree, _ place: String) throws(PolicyError) -> Text {
        switch tree {
        case .string(let text), .number(let text): return text
        case .boolean(let value): return value ? "true" : "false"
        case .object, .array, .null:
            throw PolicyError(.malformed, "\(place) is \(tree.kindName); it must be a string, a number or a boolean")
        }
    }
}

extension PolicyError {
    /// AWS's text (KMS Developer Guide, "Using set operators with condition keys").
    fileprivate static let overlyPermissive = PolicyError(
        .malformed,
        "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches "
            + "requests without the specified [encryption context or tag] or with an unspecified [encryption context or "
            + "tag]. To fix, remove ForAllValues.")
}
