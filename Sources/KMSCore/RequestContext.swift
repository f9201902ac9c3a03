/// Who asks, as the signature proved it.
public struct Caller: Hashable, Sendable {
    /// 12 digits.
    public let accountID: String
    public let principalARN: String

    public init(accountID: String, principalARN: String) {
        self.accountID = accountID
        self.principalARN = principalARN
    }
}

/// What an operation knows of its request beside the request itself.
public struct RequestContext: Hashable, Sendable {
    public let caller: Caller
    /// From the credential scope of the signature: the Region whose endpoint was meant.
    public let region: String

    public init(caller: Caller, region: String) {
        self.caller = caller
        self.region = region
    }

    /// The caller's own keys, aliases and key stores in this Region.
    public var scope: Scope { Scope(accountID: caller.accountID, region: region) }
}
