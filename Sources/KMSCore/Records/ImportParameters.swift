public import KMSModel
public import KeyStores

/// What a call of GetParametersForImport made: a wrapping key, for one KMS key, for 24 hours.
public struct ImportParameters: Hashable, Sendable {
    public let wrappingKey: WrappingKey
    public let placement: Placement
    /// Of the KMS key; its id stands in `wrappingKey`.
    public let scope: Scope
    public let creationDate: Timestamp
    /// ParametersValidTo.
    public let expirationDate: Timestamp

    public init(
        wrappingKey: WrappingKey, placement: Placement, scope: Scope, creationDate: Timestamp,
        expirationDate: Timestamp
    ) {
        self.wrappingKey = wrappingKey
        self.placement = placement
        self.scope = scope
        self.creationDate = creationDate
        self.expirationDate = expirationDate
    }
}
