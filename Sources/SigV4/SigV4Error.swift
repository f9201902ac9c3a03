/// Why a request is not signed as AWS Signature Version 4 wants it. Messages are AWS's where AWS's are known; none
/// holds a secret. Values quoted from the request are cut to a bounded length.
public enum SigV4Error: Error, Equatable, Sendable {
    /// There is no Authorization header (MissingAuthenticationTokenException).
    case missingAuthentication
    /// The header, or what it needs beside it, is malformed (IncompleteSignatureException).
    case incompleteSignature(String)
    /// The credential scope is not for this service, a valid Region or this day (InvalidSignatureException).
    case wrongScope(String)
    /// The request was signed too long ago (InvalidSignatureException).
    case skewPast(String)
    /// The request claims to come from the future (InvalidSignatureException).
    case skewFuture(String)
    /// A header that must be covered by the signature is not (InvalidSignatureException).
    case unsignedHeader(String)
    /// A header that may occur once occurs again (InvalidSignatureException).
    case duplicateHeader(String)
    /// `x-amz-content-sha256` is not the SHA-256 of the body (InvalidSignatureException).
    case bodyDigestMismatch
    /// The signature is not the one that the key makes (InvalidSignatureException).
    case signatureMismatch
    /// Nobody has this access key id (UnrecognizedClientException).
    case unknownAccessKey
    /// The cryptographic library failed; the text is for the log, not for the caller.
    case internalFailure(String)

    /// The text for the caller.
    public var message: String {
        switch self {
        case .missingAuthentication:
            "Missing Authentication Token"
        case .incompleteSignature(let text), .wrongScope(let text), .skewPast(let text), .skewFuture(let text):
            text
        case .unsignedHeader(let name):
            "'\(name)' must be a 'SignedHeader' in the AWS Authorization."
        case .duplicateHeader(let name):
            "Header '\(name)' must not occur more than once in a signed request."
        case .bodyDigestMismatch:
            "The value of the header 'x-amz-content-sha256' does not match the SHA-256 of the request body."
        case .signatureMismatch:
            // AWS's text, word for word.
            "The request signature we calculated does not match the signature you provided. "
                + "Check your AWS Secret Access Key and signing method. "
                + "Consult the service documentation for details."
        case .unknownAccessKey:
            "The security token included in the request is invalid."
        case .internalFailure:
            "The request could not be verified."
        }
    }

    /// At most 256 characters of a value that a stranger sent.
    static func excerpt(_ text: String) -> String {
        let cut = text.unicodeScalars.prefix(256)
        return cut.endIndex == text.unicodeScalars.endIndex ? text : String(cut) + "…"
    }
}
