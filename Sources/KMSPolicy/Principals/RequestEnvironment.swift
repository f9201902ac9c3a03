public import KMSModel

/// What every request has beside its principal, its operation and its parameters.
public struct RequestEnvironment: Sendable {
    /// The Region whose endpoint was called, such as `eu-central-1`.
    public var region: String
    /// Domain time.
    public var time: Timestamp
    /// The address of the caller; nil when the request came through no network.
    public var sourceIP: Text?
    /// The header User-Agent.
    public var userAgent: Text?
    /// The header Referer.
    public var referer: Text?
    /// The service, such as `s3`, that made the request for the principal; nil when the principal made it.
    public var viaService: Text?

    public init(
        region: String, time: Timestamp, sourceIP: Text? = nil, userAgent: Text? = nil, referer: Text? = nil,
        viaService: Text? = nil
    ) {
        self.region = region
        self.time = time
        self.sourceIP = sourceIP
        self.userAgent = userAgent
        self.referer = referer
        self.viaService = viaService
    }

    /// What the request has for the condition keys that speak of none of its parameters; nil for absent ones and for
    /// keys that speak of something else.
    ///
    /// Sources: IAM User Guide, "AWS global condition context keys: properties of the network, of the request"; KMS
    /// Developer Guide, "kms:ViaService".
    public func values(of key: ConditionKey) -> ConditionValues? {
        guard case .known(let key) = key else { return nil }
        return value(of: key).map { .single($0) }
    }

    private func value(of key: KnownConditionKey) -> Text? {
        switch key {
        case .requestedRegion: Text(region)
        case .currentTime: time.iso8601
        case .epochTime: Text(String(time.wholeSeconds))
        case .sourceIP: sourceIP
        case .userAgent: userAgent
        case .referer: referer
        // The server itself speaks no TLS.
        case .secureTransport: "false"
        case .viaService: viaService.map { Text("\($0).\(region).amazonaws.com") }
        case .viaAWSService: viaService == nil ? "false" : "true"
        // The chain of services has one link.
        case .calledVia, .calledViaFirst, .calledViaLast: viaService.map { Text("\($0).amazonaws.com") }
        default: nil
        }
    }
}
