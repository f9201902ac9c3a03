import Foundation
import KMSModel
import KMSPolicy

/// The condition values of a test: those given, before those of the principal and of a plain request.
struct GivenConditions: ConditionSource {
    /// Nil where the request shall not have the key.
    private let given: [(key: ConditionKey, values: ConditionValues?)]
    private let principal: Principal
    private let environment: RequestEnvironment

    init(_ context: [String: Any], _ principal: Principal, time: Timestamp) throws {
        var given: [(key: ConditionKey, values: ConditionValues?)] = []
        for (name, value) in context {
            let key = try ConditionKey(name: Text(name))
            switch value {
            case let text as String: given.append((key, .single(Text(text))))
            case let texts as [String]: given.append((key, .multiple(texts.map { Text($0) })))
            case is NSNull: given.append((key, nil))
            default: throw JSONFields.Failure(description: "\(name) is neither text, texts nor null: \(value)")
            }
        }
        self.given = given
        self.principal = principal
        environment = RequestEnvironment(
            region: "us-west-2", time: time, sourceIP: "203.0.113.10", userAgent: "test", referer: nil,
            viaService: nil)
    }

    func values(of key: ConditionKey) -> ConditionValues? {
        if let (_, values) = given.first(where: { Self.isSame($0.key, key) }) { return values }
        return principal.values(of: key) ?? environment.values(of: key)
    }

    /// Names compare without case, also what stands behind the last colon or slash.
    private static func isSame(_ left: ConditionKey, _ right: ConditionKey) -> Bool {
        switch (left, right) {
        case (.encryptionContext(let left), .encryptionContext(let right)),
            (.principalTag(let left), .principalTag(let right)), (.requestTag(let left), .requestTag(let right)),
            (.resourceTag(let left), .resourceTag(let right)):
            left.string.lowercased() == right.string.lowercased()
        default: left == right
        }
    }
}
