public import KMSModel
public import KeyStores

/// A promise to finish something in a key store, written before the key store is asked and removed with the commit.
/// What an interruption left behind is found by it: an object whose id stands in an intent is ours to destroy.
public struct Intent: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// Material may have been made and is not part of any KMS key yet.
        case generate
        /// The KMS key is gone; its material has to follow (a tombstone).
        case destroy
    }

    public let kind: Kind
    public let backingKeyID: BackingKeyID
    public let placement: Placement
    /// For the report.
    public let keyARN: String
    public let creationDate: Timestamp
    /// Of an adopted object that is to be destroyed: the `reference` of its backing key. Else empty.
    public let adoptedReference: [UInt8]

    public init(
        kind: Kind, backingKeyID: BackingKeyID, placement: Placement, keyARN: String, creationDate: Timestamp,
        adoptedReference: [UInt8] = []
    ) {
        self.kind = kind
        self.backingKeyID = backingKeyID
        self.placement = placement
        self.keyARN = keyARN
        self.creationDate = creationDate
        self.adoptedReference = adoptedReference
    }
}
