public import KMSModel
public import KMSPolicy

/// A key policy other than the default one: its text as it was given, and what it says.
public struct KeyPolicy: Sendable {
    public let text: Text
    /// Nil when the text cannot be read, because another version of Strongroom wrote it: then it denies everything.
    public let document: PolicyDocument?

    /// Takes what is stored.
    public init(stored text: Text) {
        self.text = text
        document = try? PolicyDocument(parsing: text, as: .keyPolicy)
    }

    /// Takes what a caller gives.
    ///
    /// Errors: `PolicyError`.
    public init(checking text: Text) throws(PolicyError) {
        self.text = text
        document = try PolicyDocument(parsing: text, as: .keyPolicy)
    }
}

extension KeyPolicy: Hashable {
    public static func == (left: Self, right: Self) -> Bool { left.text == right.text }

    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
