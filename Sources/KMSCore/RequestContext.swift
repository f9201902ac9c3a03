public import KMSModel
public import KMSPolicy

/// What an operation knows of its request beside the request itself.
public struct RequestContext: Sendable {
    /// Who asks, as the signature proved it.
    public let caller: Principal
    /// From the credential scope of the signature: the Region whose endpoint was meant.
    public private(set) var region: String
    /// The address that the request came from, as text; nil when it came through no network.
    public let sourceIP: Text?
    /// The header User-Agent.
    public let userAgent: Text?
    /// The header Referer.
    public let referer: Text?
    /// The access key of the signature; nil when the request came through no network.
    public let accessKeyID: String?
    /// Takes notes for the audit line of the request.
    public let trail = RequestTrail()

    public init(
        caller: Principal, region: String, sourceIP: Text? = nil, userAgent: Text? = nil, referer: Text? = nil,
        accessKeyID: String? = nil
    ) {
        self.caller = caller
        self.region = region
        self.sourceIP = sourceIP
        self.userAgent = userAgent
        self.referer = referer
        self.accessKeyID = accessKeyID
    }

    /// The same request, as far as it concerns another Region.
    func inRegion(_ region: String) -> RequestContext {
        var context = self
        context.region = region
        return context
    }

    /// The caller's own keys, aliases and key stores in this Region.
    public var scope: Scope { Scope(accountID: caller.accountID, region: region) }
}
