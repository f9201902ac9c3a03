import KMSModel

extension Condition {
    /// One line for people: the operator and key, what the policy wants, and what the request has.
    package func explanation(in source: some ConditionSource) -> String {
        "\(operation.name) \(shortened(key.name)): wanted \(wanted), \(found(in: source))"
    }

    private var wanted: String {
        if operation.test == .null {
            let isAbsent = values.map {
                $0.string.lowercased() == "true" ? "that the key is absent" : "that it is present"
            }
            return isAbsent.isEmpty ? "nothing" : isAbsent.joined(separator: " or ")
        }
        guard !values.isEmpty else { return operation.isNegated ? "anything" : "one of no values" }
        let relation =
            switch operation.test {
            case .numeric(.less): "less than "
            case .numeric(.lessOrEqual): "at most "
            case .numeric(.greater): "more than "
            case .numeric(.greaterOrEqual): "at least "
            case .date(.less): "before "
            case .date(.lessOrEqual): "at or before "
            case .date(.greater): "after "
            case .date(.greaterOrEqual): "at or after "
            default: operation.isNegated ? "anything but " : ""
            }
        return relation + list(values, joinedBy: " or ")
    }

    private func found(in source: some ConditionSource) -> String {
        guard let values = source.values(of: key) else { return "the request does not have it" }
        let texts = values.all
        guard !texts.isEmpty else { return "the request has an empty list" }
        let shown = "the request has \(list(texts, joinedBy: ", "))"
        guard evaluate(in: source) == .unknown else { return shown }
        if operation.qualifier == nil, texts.count > 1 {
            return shown + ": several values can be compared with ForAnyValue or ForAllValues only"
        }
        if let wrong = texts.first(where: { Subject($0, for: operation.test) == nil }) {
            return shown + ", and \(quoted(wrong)) is not \(operation.test.valueDescription)"
        }
        return shown + ", and a policy variable has no fitting value in this request"
    }
}

/// The first three in quotation marks.
private func list(_ texts: [Text], joinedBy separator: String) -> String {
    let shown = texts.prefix(3).map { quoted($0) }.joined(separator: separator)
    return texts.count > 3 ? shown + "\(separator)\(texts.count - 3) more" : shown
}

/// A key's name, which a policy may make as long as it likes and of any characters.
private func shortened(_ name: String) -> String {
    let shown = quoted(Text(name)).dropFirst().dropLast()
    return String(shown)
}
