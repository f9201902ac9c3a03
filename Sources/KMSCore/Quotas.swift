/// How much of what an account may have, beyond which requests are refused with LimitExceededException.
///
/// Source of the numbers, which are those of AWS: KMS Developer Guide, "Resource quotas".
public struct Quotas: Hashable, Sendable {
    /// KMS keys of an account in a Region. AWS managed keys do not count.
    public var keys = 100_000
    public var aliasesPerKey = 50
    public var grantsPerKey = 50_000
    /// Custom key stores of an account in a Region.
    public var customKeyStores = 10
    public var onDemandRotationsPerKey = 25
    /// Length of a key policy.
    public var keyPolicyBytes = 32_768

    public init() {}

    /// The names under which quotas are configured.
    public static var names: [String] { paths.keys.sorted() }

    /// Errors: `QuotaError` for a name that is none, and for a number below 0.
    public mutating func set(_ name: String, to limit: Int) throws(QuotaError) {
        guard let path = Self.paths[name] else {
            throw QuotaError("\(name) is no quota: there are \(Self.names.joined(separator: ", "))")
        }
        guard limit >= 0 else { throw QuotaError("the quota \(name) is 0 or more, not \(limit)") }
        self[keyPath: path] = limit
    }

    private static let paths: [String: any WritableKeyPath<Quotas, Int> & Sendable] = [
        "keys": \.keys, "aliasesPerKey": \.aliasesPerKey, "grantsPerKey": \.grantsPerKey,
        "customKeyStores": \.customKeyStores, "onDemandRotationsPerKey": \.onDemandRotationsPerKey,
        "keyPolicyBytes": \.keyPolicyBytes,
    ]
}

/// One sentence for people.
public struct QuotaError: Error, CustomStringConvertible, Sendable {
    public let description: String

    init(_ description: String) { self.description = description }
}
