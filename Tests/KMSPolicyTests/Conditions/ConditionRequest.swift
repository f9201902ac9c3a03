import KMSModel
import KMSPolicy
import Testing

/// A request that has what a test gives it, by the names of condition keys.
struct ConditionRequest: ConditionSource {
    private var values: [ConditionKey: ConditionValues] = [:]

    init(_ values: KeyValuePairs<String, [Text]>) {
        for (name, texts) in values {
            guard let key = try? ConditionKey(name: Text(name)) else {
                Issue.record("no condition key \(name)")
                continue
            }
            self.values[key] = texts.count == 1 ? .single(texts[0]) : .multiple(texts)
        }
    }

    func values(of key: ConditionKey) -> ConditionValues? { values[key] }
}

/// What a condition of version 2012-10-17 says about a request whose keys it is given.
func evaluate(
    _ operatorName: Text, _ key: Text, _ wanted: [Text], _ request: KeyValuePairs<String, [Text]> = [:]
) throws -> Truth {
    try Condition(operatorName: operatorName, keyName: key, values: wanted, version: .version2012)
        .evaluate(in: ConditionRequest(request))
}

/// Why a condition of version 2012-10-17 is refused; nil when it is taken.
func refusal(_ operatorName: Text, _ key: Text, _ wanted: [Text]) -> PolicyError? {
    do throws(PolicyError) {
        _ = try Condition(operatorName: operatorName, keyName: key, values: wanted, version: .version2012)
        return nil
    } catch {
        return error
    }
}
