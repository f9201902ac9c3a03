public import KMSPolicy

/// A grant and the KMS key that it is on.
public struct KeyGrant: Hashable, Sendable {
    public let scope: Scope
    public let keyID: String
    public let grant: Grant

    public init(scope: Scope, keyID: String, grant: Grant) {
        self.scope = scope
        self.keyID = keyID
        self.grant = grant
    }
}
