public import KMSModel
public import KMSPolicy

/// What an operation knows of its request beside the request itself.
public struct RequestContext: Sendable {
    /// Who asks, as the signature proved it.
    public let caller: Principal
    /// From the credential scope of the signature: the Region whose endpoint was meant.
    public let region: String
    /// The address that the request came from, as text; nil when it came through no network.
    public let sourceIP: Text?
    /// The header User-Agent.
    public let userAgent: Text?
    /// The header Referer.
    public let referer: Text?

    public init(
        caller: Principal, region: String, sourceIP: Text? = nil, userAgent: Text? = nil, referer: Text? = nil
    ) {
        self.caller = caller
        self.region = region
        self.sourceIP = sourceIP
        self.userAgent = userAgent
        self.referer = referer
    }

    /// The same request, as far as it concerns another Region.
    func inRegion(_ region: String) -> RequestContext {
        RequestContext(caller: caller, region: region, sourceIP: sourceIP, userAgent: userAgent, referer: referer)
    }

    /// The caller's own keys, aliases and key stores in this Region.
    public var scope: Scope { Scope(accountID: caller.accountID, region: region) }
}
