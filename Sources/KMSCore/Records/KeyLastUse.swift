public import KMSModel

/// The last successful cryptographic operation with a KMS key (KMS API: KeyLastUsageData). Each key of a multi-Region
/// key has its own.
public struct KeyLastUse: Hashable, Sendable {
    public let scope: Scope
    public let keyID: String
    public let operation: KeyLastUsageTrackingOperation
    /// Domain time.
    public let time: Timestamp
    /// The eventID of the audit line.
    public let eventID: String
    /// `x-amzn-RequestId` of the answer.
    public let requestID: String

    public init(
        scope: Scope, keyID: String, operation: KeyLastUsageTrackingOperation, time: Timestamp, eventID: String,
        requestID: String
    ) {
        self.scope = scope
        self.keyID = keyID
        self.operation = operation
        self.time = time
        self.eventID = eventID
        self.requestID = requestID
    }
}
