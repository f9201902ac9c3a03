public import SecureMemory

/// One HTTP request as it came off the wire, as far as its signature covers it.
public struct SignedRequest: Sendable {
    public var method: String
    /// As sent: percent-encoded, without the query.
    public var path: String
    /// As sent: percent-encoded, without the question mark; empty when there is none.
    public var query: String
    /// In the order received, duplicates and all. Names in any case.
    public var headers: [(name: String, value: String)]
    /// SHA-256 of the exact body, 32 bytes.
    public var bodyDigest: [UInt8]

    public init(
        method: String, path: String, query: String, headers: [(name: String, value: String)], bodyDigest: [UInt8]
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.bodyDigest = bodyDigest
    }
}

/// What a verified signature proves.
public struct VerifiedSignature: Hashable, Sendable {
    public let accessKeyID: String
    /// The Region of the credential scope. Its syntax is checked; whether it is served here is the server's question.
    public let region: String
    public let service: String
    /// When the client says that it signed, seconds since 1970; within the permitted skew.
    public let signedAt: Int64
}

/// Knows the secret keys. Asked only when a signing key is not cached; must not block for long.
public protocol SigningCredentialSource: Sendable {
    /// The secret access key in its text form, or nil when nobody has this access key id, or not with this session
    /// token.
    ///
    /// - Parameter sessionToken: the header X-Amz-Security-Token; nil when the request has none. Credentials of a role
    ///   session come with one, long-term ones without. A signing key that is cached is used whatever the token: look
    ///   at the token again once the signature is verified.
    func secret(accessKeyID: String, sessionToken: String?) -> SecretBytes?
}
