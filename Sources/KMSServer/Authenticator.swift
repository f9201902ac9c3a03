import Cryptography
import KMSCore
import KMSModel
import SecureMemory
import SigV4

/// Proves who sent a request, by its signature.
struct Authenticator: Sendable {
    private let principals: Principals
    private let verifier: SignatureVerifier

    init(_ principals: Principals) {
        self.principals = principals
        verifier = SignatureVerifier(credentials: SigningSecrets(principals: principals))
    }

    /// Errors: one per kind of failure, with AWS's texts (see `SigV4Error.kmsError`).
    func authenticate(_ request: WireRequest, wallTime: Double) throws(KMSError) -> RequestContext {
        let verified: VerifiedSignature
        do {
            let digest: [UInt8]
            do {
                digest = try request.body.withBytes { body throws(CryptographyError) in try SHA256.digest(body) }
            } catch {
                throw SigV4Error.internalFailure("\(error)")
            }
            verified = try verifier.verify(
                SignedRequest(
                    method: request.method, path: request.path, query: request.query, headers: request.headers,
                    bodyDigest: digest),
                now: Int64(wallTime))
        } catch let error as SigV4Error {
            throw error.kmsError
        } catch {
            throw .internalFailure()
        }
        guard Self.isRegion(verified.region) else {
            throw SigV4Error.wrongScope("Credential should be scoped to a valid region.").kmsError
        }
        guard let accessKey = principals.accessKey(verified.accessKeyID) else {
            throw SigV4Error.unknownAccessKey.kmsError
        }
        guard Self.matches(request.header("x-amz-security-token"), accessKey.sessionToken) else {
            throw SigV4Error.unknownAccessKey.kmsError
        }
        return RequestContext(caller: accessKey.caller, region: verified.region)
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

    /// Temporary credentials come with their session token, permanent ones without any.
    private static func matches(_ given: String?, _ expected: SecretBytes?) -> Bool {
        switch (given, expected) {
        case (nil, nil): true
        case (let given?, let expected?):
            expected.withBytes { expected in constantTimeEquals(Array(given.utf8).span, expected) }
        default: false
        }
    }
}

private struct SigningSecrets: SigningCredentialSource {
    let principals: Principals

    func secret(accessKeyID: String) -> SecretBytes? { principals.accessKey(accessKeyID)?.secret }
}
