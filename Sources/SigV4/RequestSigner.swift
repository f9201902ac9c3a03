internal import Cryptography
public import SecureMemory

/// Whose signature a request gets.
public struct SigningCredentials: Sendable {
    public let accessKeyID: String
    public let secretAccessKey: SecretBytes
    /// With temporary credentials only.
    public let sessionToken: String?

    public init(accessKeyID: String, secretAccessKey: SecretBytes, sessionToken: String? = nil) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
    }
}

/// Makes signatures of AWS Signature Version 4 in their header form, those that `SignatureVerifier` verifies.
public struct RequestSigner: Sendable {
    private let credentials: SigningCredentials
    private let region: String
    private let service: String

    public init(credentials: SigningCredentials, region: String, service: String = "kms") {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// The headers that make `request` a signed one: X-Amz-Date, X-Amz-Security-Token for temporary credentials, and
    /// Authorization. Every header that `request` has already is signed, so Host must be among them.
    ///
    /// - Parameter time: wire time, seconds since 1970.
    ///
    /// Errors: `duplicateHeader` and `incompleteSignature` for headers that cannot be signed; `internalFailure`.
    public func sign(_ request: SignedRequest, at time: Int64) throws(SigV4Error) -> [(name: String, value: String)] {
        let timestamp = WireTime.basic(time)
        var added = [(name: "X-Amz-Date", value: timestamp)]
        if let token = credentials.sessionToken { added.append((name: "X-Amz-Security-Token", value: token)) }
        var request = request
        request.headers += added

        let names = request.headers.map { Array($0.name.lowercased().utf8) }
            .sorted { $0.lexicographicallyPrecedes($1) }
        let list = Array(names.joined(separator: [UInt8(ascii: ";")]))
        let canonical = try CanonicalRequest.bytes(
            of: request, headers: try HeaderTable(request.headers), signedHeaders: names.map { $0[...] },
            signedHeaderList: list[...])
        let day = String(timestamp.prefix(8))
        let scope = "\(day)/\(region)/\(service)/aws4_request"
        let signature: [UInt8]
        do throws(CryptographyError) {
            let key = try SigningKey.derive(
                secret: credentials.secretAccessKey, day: day, region: region, service: service)
            signature = try SigningKey.signature(of: canonical, timestamp: timestamp, scope: scope, key: key)
        } catch {
            throw .internalFailure("\(error)")
        }
        added.append(
            (
                name: "Authorization",
                value: "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), "
                    + "SignedHeaders=\(String(decoding: list, as: UTF8.self)), "
                    + "Signature=\(String(decoding: signature, as: UTF8.self))"
            ))
        return added
    }
}
