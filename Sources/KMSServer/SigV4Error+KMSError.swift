import KMSModel
import SigV4

// The one place where a refused signature becomes an answer of the API (KMS API: Common Errors).
extension SigV4Error {
    var kmsError: KMSError {
        switch self {
        case .missingAuthentication: .missingAuthenticationToken(message)
        case .incompleteSignature: .incompleteSignature(message)
        case .unknownAccessKey: .unrecognizedClient(message)
        case .wrongScope, .skewPast, .skewFuture, .unsignedHeader, .duplicateHeader, .bodyDigestMismatch,
            .signatureMismatch:
            .invalidSignature(message)
        // The cause is for the log, which the handler of the request writes.
        case .internalFailure: .internalFailure(message)
        }
    }
}
