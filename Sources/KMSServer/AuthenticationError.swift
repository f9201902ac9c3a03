internal import KMSModel
internal import SigV4

/// Why nobody can be told to have sent a request. Each protocol has its own names for it.
enum AuthenticationError: Error, Equatable {
    case signature(SigV4Error)
    /// The request is signed as it should be, with credentials of a session that is over.
    case expiredToken

    /// An access key or session token that nobody has.
    static let unknown = Self.signature(.unknownAccessKey)

    /// AWS's text, word for word.
    static let expiredTokenMessage = "The security token included in the request is expired"
}

// The one place where a refused signature becomes an answer of the KMS API (KMS API: Common Errors). For that of STS,
// see STSError+Authentication.swift.
extension AuthenticationError {
    var kmsError: KMSError {
        guard case .signature(let error) = self else { return .expiredToken(Self.expiredTokenMessage) }
        return switch error {
        case .missingAuthentication: .missingAuthenticationToken(error.message)
        case .incompleteSignature: .incompleteSignature(error.message)
        case .unknownAccessKey: .unrecognizedClient(error.message)
        case .wrongScope, .skewPast, .skewFuture, .unsignedHeader, .duplicateHeader, .bodyDigestMismatch,
            .signatureMismatch:
            .invalidSignature(error.message)
        // The cause is for the log, which the handler of the request writes.
        case .internalFailure: .internalFailure(error.message)
        }
    }
}
