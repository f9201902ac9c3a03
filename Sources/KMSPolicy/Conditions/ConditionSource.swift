public import KMSModel

/// What a request has for one condition key.
public enum ConditionValues: Sendable, Hashable {
    /// Also what a multivalued key has when it has one value.
    case single(Text)
    /// Several values, or none of a key that is present and empty.
    case multiple([Text])

    public var all: [Text] {
        switch self {
        case .single(let text): [text]
        case .multiple(let texts): texts
        }
    }
}

/// The values that a request has for condition keys, made when they are asked for: most policies ask for few.
public protocol ConditionSource: Sendable {
    /// Nil when the request has no such key.
    func values(of key: ConditionKey) -> ConditionValues?
}

/// The answer of a part of a policy. What cannot be told is not the same as no: it never allows, and it denies where
/// the statement is a Deny.
package enum Truth: Sendable, Hashable {
    case yes
    case no
    case unknown
}
