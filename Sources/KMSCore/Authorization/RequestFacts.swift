import KMSModel
import KMSPolicy

/// What a request says, as far as policies can ask for it (KMS Developer Guide, "AWS KMS condition keys").
///
/// A parameter that the request leaves out is absent here too, with one exception: the algorithm of a symmetric
/// encryption key is SYMMETRIC_DEFAULT whether it is named or not.
struct RequestFacts: Sendable {
    static let none = RequestFacts()

    /// For `kms:EncryptionContext:…`, and for the constraints of grants.
    var encryptionContext: [Text: Text]?
    /// For `aws:RequestTag/…` and `aws:TagKeys`.
    var tags: [Tag]?
    /// For `aws:TagKeys`, where tags are named without values.
    var tagKeys: [Text]?
    private var values: [(key: KnownConditionKey, values: ConditionValues)] = []

    init(encryptionContext: [Text: Text]? = nil, tags: [Tag]? = nil, tagKeys: [Text]? = nil) {
        self.encryptionContext = encryptionContext
        self.tags = tags
        self.tagKeys = tagKeys
    }

    /// The facts of symmetric encryption.
    static func encryption(_ context: [Text: Text]?, _ algorithm: EncryptionAlgorithmSpec? = nil) -> RequestFacts {
        RequestFacts(encryptionContext: context)
            .with(.encryptionAlgorithm, algorithm == nil ? "SYMMETRIC_DEFAULT" : algorithm.map { Text($0.rawValue) })
    }

    /// Adds a value that the request may have.
    func with(_ key: KnownConditionKey, _ value: Text?) -> RequestFacts {
        guard let value else { return self }
        return with(key, .single(value))
    }

    func with(_ key: KnownConditionKey, _ value: Bool?) -> RequestFacts {
        with(key, value.map { $0 ? "true" : "false" })
    }

    func with(_ key: KnownConditionKey, _ value: ConditionValues) -> RequestFacts {
        var facts = self
        facts.values.append((key, value))
        return facts
    }

    func values(of key: ConditionKey) -> ConditionValues? {
        switch key {
        case .known(.encryptionContextKeys):
            guard let encryptionContext, !encryptionContext.isEmpty else { return nil }
            return .multiple(Array(encryptionContext.keys))
        case .known(.tagKeys):
            return (tagKeys ?? tags?.map(\.tagKey)).map(ConditionValues.multiple)
        case .known(let known):
            return values.first { $0.key == known }?.values
        case .encryptionContext(let name):
            return encryptionContextValues(name)
        case .requestTag(let name):
            return tags?.first { $0.tagKey.hasSameFold(as: name) }.map { .single($0.tagValue) }
        case .principalTag, .resourceTag, .absent:
            return nil
        }
    }

    /// Condition key names compare without case, so that a context with two names that differ in nothing else has two
    /// values: then a condition on it cannot be told.
    private func encryptionContextValues(_ name: Text) -> ConditionValues? {
        guard let encryptionContext else { return nil }
        let found = encryptionContext.filter { $0.key.hasSameFold(as: name) }.values
        guard let first = found.first else { return nil }
        return found.count == 1 ? .single(first) : .multiple(Array(found))
    }
}

extension Text {
    /// Equality that ignores the case of ASCII letters.
    func hasSameFold(as other: Text) -> Bool {
        utf8.count == other.utf8.count
            && zip(utf8, other.utf8).allSatisfy { left, right in left == right || Self.fold(left) == Self.fold(right) }
    }

    private static func fold(_ byte: UInt8) -> UInt8 {
        UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
    }
}
