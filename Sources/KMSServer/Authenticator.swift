internal import Cryptography
internal import KMSCore
internal import KMSModel
internal import KMSPolicy
internal import SecureMemory
internal import SigV4

/// Proves who sent a request, by its signature: with a long-term access key of the principals, or with the credentials
/// of a role session.
struct Authenticator: Sendable {
    /// What a credential scope may be for.
    enum Service {
        case kms
        case sts
    }

    private let principals: CurrentPrincipals
    private let sessions: Sessions
    private let kmsVerifier: SignatureVerifier
    private let stsVerifier: SignatureVerifier

    init(_ principals: CurrentPrincipals, _ sessions: Sessions) {
        self.principals = principals
        self.sessions = sessions
        let secrets = SigningSecrets(principals: principals, sessions: sessions)
        let kmsVerifier = SignatureVerifier(service: "kms", credentials: secrets)
        let stsVerifier = SignatureVerifier(service: "sts", credentials: secrets)
        principals.afterReplacement { [weak kmsVerifier, weak stsVerifier] in
            kmsVerifier?.forgetSigningKeys()
            stsVerifier?.forgetSigningKeys()
        }
        self.kmsVerifier = kmsVerifier
        self.stsVerifier = stsVerifier
    }

    /// Who sent the request, to which Region.
    ///
    /// - Parameters:
    ///   - wallTime: seconds since 1970, which signatures go by.
    ///   - now: domain time, which sessions go by.
    func authenticate(
        _ request: WireRequest, for service: Service, wallTime: Double, now: Timestamp
    ) throws(AuthenticationError) -> RequestContext {
        let verified = try verify(request, service, wallTime: wallTime)
        guard Self.isRegion(verified.region) else {
            throw .signature(.wrongScope("Credential should be scoped to a valid region."))
        }
        return RequestContext(
            caller: try caller(verified.accessKeyID, request.header("x-amz-security-token"), now: now),
            region: verified.region, sourceIP: request.sourceIP,
            userAgent: request.header("user-agent").map { Text($0) },
            referer: request.header("referer").map { Text($0) }, accessKeyID: verified.accessKeyID)
    }

    private func verify(
        _ request: WireRequest, _ service: Service, wallTime: Double
    ) throws(AuthenticationError) -> VerifiedSignature {
        let digest: [UInt8]
        do {
            digest = try request.body.withBytes { body throws(CryptographyError) in try SHA256.digest(body) }
        } catch {
            throw .signature(.internalFailure("\(error)"))
        }
        do {
            let verifier =
                switch service {
                case .kms: kmsVerifier
                case .sts: stsVerifier
                }
            return try verifier.verify(
                SignedRequest(
                    method: request.method, path: request.path, query: request.query, headers: request.headers,
                    bodyDigest: digest),
                now: Int64(wallTime))
        } catch {
            throw .signature(error)
        }
    }

    /// Whose access key it is now. The verifier may have used a signing key that it knew from before, so that the token
    /// is looked at here, whatever the verifier asked.
    private func caller(
        _ accessKeyID: String, _ token: String?, now: Timestamp
    ) throws(AuthenticationError) -> Principal {
        let principals = principals.value
        if SessionCredentials.isAccessKeyID(accessKeyID) {
            guard let token else { throw .unknown }
            return try sessions.principal(accessKeyID: accessKeyID, token: token, in: principals, now: now)
        }
        guard token == nil, let accessKey = principals.accessKey(accessKeyID) else { throw .unknown }
        return accessKey.principal
    }

    /// Any Region of the right form is served (service model, RegionType: `^([a-z]+-){2,3}\d+$`).
    private static func isRegion(_ region: String) -> Bool {
        let parts = region.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard (3...4).contains(parts.count), let number = parts.last, !number.isEmpty else { return false }
        return number.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && parts.dropLast().allSatisfy { part in
                !part.isEmpty && part.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
            }
    }
}

private struct SigningSecrets: SigningCredentialSource {
    let principals: CurrentPrincipals
    let sessions: Sessions

    func secret(accessKeyID: String, sessionToken: String?) -> SecretBytes? {
        if SessionCredentials.isAccessKeyID(accessKeyID) {
            return sessionToken.flatMap { sessions.secretKey(accessKeyID: accessKeyID, token: $0) }
        }
        return sessionToken == nil ? principals.value.accessKey(accessKeyID)?.secret : nil
    }
}
