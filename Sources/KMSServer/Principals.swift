public import KMSCore
public import SecureMemory

/// One access key and whose it is.
public struct AccessKey: Sendable {
    public let id: String
    public let secret: SecretBytes
    /// When set, requests must carry it in X-Amz-Security-Token.
    public let sessionToken: SecretBytes?
    public let caller: Caller

    public init(id: String, secret: SecretBytes, sessionToken: SecretBytes?, caller: Caller) {
        self.id = id
        self.secret = secret
        self.sessionToken = sessionToken
        self.caller = caller
    }
}

/// The access keys that requests may be signed with.
public struct Principals: Sendable {
    private let accessKeys: [String: AccessKey]

    /// Of access keys with the same id the last one counts; whoever reads the principals file refuses duplicates.
    public init(_ accessKeys: [AccessKey]) {
        self.accessKeys = Dictionary(accessKeys.map { ($0.id, $0) }, uniquingKeysWith: { $1 })
    }

    public func accessKey(_ id: String) -> AccessKey? { accessKeys[id] }
}
