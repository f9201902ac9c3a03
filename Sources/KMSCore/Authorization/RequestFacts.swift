import KMSModel
import KMSPolicy

/// What a request says, as far as policies can ask for it (KMS Developer Guide, "AWS KMS condition keys").
///
/// A parameter that the request leaves out is absent here too, with one exception: the algorithm of a symmetric
/// encryption key is SYMMETRIC_DEFAULT whether it is named or not.
struct RequestFacts: Sendable {
    static let none = RequestFacts()

    /// For grants' constraints, and through `folded` for `kms:EncryptionContext:…`.
    let encryptionContext: [Text: Text]?
    /// For `aws:RequestTag/…` and `aws:TagKeys`.
    private let tags: [Tag]?
    /// For `aws:TagKeys`, where tags are named without values.
    private let tagKeys: [Text]?
    /// The values of the encryption context by names without case: names of condition keys compare so. Two names that
    /// differ in nothing else give one key two values, and then a condition on it cannot be told.
    private let folded: [Text: ConditionValues]
    private var values: [(key: KnownConditionKey, values: ConditionValues)] = []

    init(encryptionContext: [Text: Text]? = nil, tags: [Tag]? = nil, tagKeys: [Text]? = nil) {
        self.encryptionContext = encryptionContext
        self.tags = tags
        self.tagKeys = tagKeys
        var folded: [Text: ConditionValues] = [:]
        for (name, value) in encryptionContext ?? [:] {
            let name = name.lowerCase
            folded[name] = folded[name].map { .multiple($0.all + [value]) } ?? .single(value)
        }
        self.folded = folded
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
            return folded.isEmpty ? nil : folded[name.lowerCase]
        case .requestTag(let name):
            return tags?.values(of: name)
        case .principalTag, .resourceTag, .absent:
            return nil
        }
    }
}

extension [Tag] {
    /// The values of the tags of this name. Tag keys in condition keys compare without case, tags with case: where two
    /// tags differ in nothing else, both count, and a condition that wants one value cannot be told.
    func values(of name: Text) -> ConditionValues? {
        let found = filter { $0.tagKey.equalsWithoutCase(name) }
        guard let first = found.first else { return nil }
        return found.count == 1 ? .single(first.tagValue) : .multiple(found.map(\.tagValue))
    }
}
