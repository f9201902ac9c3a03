internal import Cryptography
internal import SecureMemory

/// Verifies AWS Signature Version 4 in its header form (AWS General Reference, "AWS Signature Version 4 for API
/// requests").
///
/// Stricter than AWS where a signature would otherwise not cover what decides the request: Host and every X-Amz-*
/// header present must be signed, ambiguous duplicates are refused, `x-amz-content-sha256` must be the digest of the
/// body (so UNSIGNED-PAYLOAD and chunked bodies are refused). Query-string signatures are not taken; no SDK uses them
/// here.
///
/// Safe to use from any thread; never blocks longer than the credential source does. Nothing that a request holds
/// traps.
public final class SignatureVerifier: Sendable {
    /// AWS's front end shows "- 5 min." in its message.
    public static let permittedSkewSeconds: Int64 = 300

    private let service: String
    private let credentials: any SigningCredentialSource
    private let signingKeys: BoundedCache<SigningKeyScope, SecretBytes>

    /// - Parameters:
    ///   - service: the signing name that the credential scope must carry.
    ///   - cachedKeyLimit: how many signing keys are kept; one is needed per access key, day and Region in use.
    public init(service: String = "kms", credentials: any SigningCredentialSource, cachedKeyLimit: Int = 1_024) {
        self.service = service
        self.credentials = credentials
        signingKeys = BoundedCache(limit: cachedKeyLimit)
    }

    /// Call whenever a credential changes or goes, after the source answers with the change: keys derived before are
    /// forgotten, and one being derived meanwhile is not kept.
    public func forgetSigningKeys() {
        signingKeys.removeAll()
    }

    /// How many signing keys are kept at the moment.
    package var cachedKeyCount: Int { signingKeys.count }

    /// - Parameter now: wire time, seconds since 1970.
    public func verify(_ request: SignedRequest, now: Int64) throws(SigV4Error) -> VerifiedSignature {
        let headers = try HeaderTable(request.headers)
        guard let header = headers.value(of: "authorization"), !header.isEmpty else { throw .missingAuthentication }
        try headers.refuseAmbiguity()
        let dateHeader = headers.value(of: "x-amz-date")
        let date = dateHeader ?? headers.value(of: "date")
        let authorization = try Authorization(parsing: header, hasDate: date != nil)
        let signedAt = try Self.time(date ?? "", isAmazonDate: dateHeader != nil)
        let timestamp = WireTime.basic(signedAt)
        try checkScope(authorization, timestamp: timestamp)
        try Self.checkSkew(signedAt, timestamp: timestamp, now: now)
        try headers.requireSigned(authorization.signedHeaders)
        let canonical = try CanonicalRequest.bytes(
            of: request, headers: headers, signedHeaders: authorization.signedHeaders,
            signedHeaderList: authorization.signedHeaderList)

        // The generation is read before the source is asked: see `forgetSigningKeys`.
        let generation = signingKeys.generation
        let scope = SigningKeyScope(
            accessKeyID: authorization.accessKeyID, day: authorization.day, region: authorization.region)
        let cached = signingKeys.value(for: scope)
        do {
            let key = try cached ?? derive(authorization, sessionToken: headers.value(of: "x-amz-security-token"))
            let expected = try SigningKey.signature(
                of: canonical, timestamp: timestamp, scope: authorization.scope, key: key)
            // Compared as text: another length or upper-case digits are simply another signature.
            let isSigned = constantTimeEquals(expected.span, Array(authorization.signature).span)
            try Self.checkBodyDigest(request.bodyDigest, header: headers.value(of: "x-amz-content-sha256"))
            guard isSigned else { throw SigV4Error.signatureMismatch }
            // Kept only once proven, so that nobody fills the cache with Regions of somebody else's access key.
            if cached == nil { signingKeys.insert(key, for: scope, ifStill: generation) }
        } catch let error as SigV4Error {
            throw error
        } catch {
            throw .internalFailure("\(error)")
        }
        return VerifiedSignature(
            accessKeyID: authorization.accessKeyID, region: authorization.region, service: authorization.service,
            signedAt: signedAt)
    }

    private func derive(_ authorization: Authorization, sessionToken: String?) throws -> SecretBytes {
        guard let secret = credentials.secret(accessKeyID: authorization.accessKeyID, sessionToken: sessionToken)
        else { throw SigV4Error.unknownAccessKey }
        return try SigningKey.derive(
            secret: secret, day: authorization.day, region: authorization.region, service: authorization.service)
    }
}

// The checks that need no secret.
extension SignatureVerifier {
    /// X-Amz-Date is ISO 8601 basic format; Date, read only without X-Amz-Date, may also be an HTTP date.
    private static func time(_ text: String, isAmazonDate: Bool) throws(SigV4Error) -> Int64 {
        if let time = WireTime.parse(basic: text) { return time }
        if !isAmazonDate, let time = WireTime.parse(imfFixdate: text) { return time }
        throw .incompleteSignature(
            "Date must be in ISO-8601 'basic format'. Got '\(SigV4Error.excerpt(text))'. "
                + "See http://en.wikipedia.org/wiki/ISO_8601")
    }

    private func checkScope(_ authorization: Authorization, timestamp: String) throws(SigV4Error) {
        guard Self.isRegion(authorization.region) else {
            throw .wrongScope("Credential should be scoped to a valid region.")
        }
        guard authorization.service.utf8.elementsEqual(service.utf8) else {
            throw .wrongScope("Credential should be scoped to correct service: '\(service)'.")
        }
        guard authorization.terminator.utf8.elementsEqual("aws4_request".utf8) else {
            throw .wrongScope(
                "Credential should be scoped with a valid terminator: 'aws4_request', not '"
                    + SigV4Error.excerpt(authorization.terminator) + "'.")
        }
        guard authorization.day.utf8.elementsEqual(timestamp.utf8.prefix(8)) else {
            throw .wrongScope(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                    + "'\(SigV4Error.excerpt(authorization.day))' != '\(timestamp.prefix(8))', from '\(timestamp)'.")
        }
    }

    /// Lower-case letters, digits and inner hyphens, at most 32: `us-east-1`, `us-gov-west-1`, and names of one's own.
    private static func isRegion(_ region: String) -> Bool {
        let bytes = region.utf8
        let hyphen = UInt8(ascii: "-")
        return 1...32 ~= bytes.count && bytes.first != hyphen && bytes.last != hyphen
            && bytes.allSatisfy {
                UInt8(ascii: "a")...UInt8(ascii: "z") ~= $0 || UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0
                    || $0 == hyphen
            }
    }

    private static func checkSkew(_ signedAt: Int64, timestamp: String, now: Int64) throws(SigV4Error) {
        let skew = permittedSkewSeconds
        if signedAt < now - skew {
            throw .skewPast(
                "Signature expired: \(timestamp) is now earlier than \(WireTime.basic(now - skew)) "
                    + "(\(WireTime.basic(now)) - 5 min.)")
        }
        if signedAt > now + skew {
            throw .skewFuture(
                "Signature not yet current: \(timestamp) is still later than \(WireTime.basic(now + skew)) "
                    + "(\(WireTime.basic(now)) + 5 min.)")
        }
    }

    private static func checkBodyDigest(_ digest: [UInt8], header: String?) throws(SigV4Error) {
        guard let header else { return }
        var digits: [UInt8] = []
        CanonicalRequest.append(hexadecimal: digest, to: &digits)
        guard header.utf8.elementsEqual(digits) else { throw .bodyDigestMismatch }
    }
}

extension SignatureVerifier {
    /// The canonical request alone, for tests against published ones.
    package func canonicalRequest(of request: SignedRequest) throws(SigV4Error) -> [UInt8] {
        let headers = try HeaderTable(request.headers)
        guard let header = headers.value(of: "authorization") else { throw .missingAuthentication }
        let authorization = try Authorization(parsing: header, hasDate: true)
        return try CanonicalRequest.bytes(
            of: request, headers: headers, signedHeaders: authorization.signedHeaders,
            signedHeaderList: authorization.signedHeaderList)
    }
}
