internal import SigV4

// The one place where a refused signature becomes an answer of STS (AWS STS API Reference, "Common Errors"). For that
// of KMS, see AuthenticationError.swift.
extension AuthenticationError {
    var stsError: STSError {
        guard case .signature(let error) = self else {
            return STSError(.expiredToken, Self.expiredTokenMessage)
        }
        return switch error {
        case .missingAuthentication:
            STSError(.missingAuthenticationToken, "Request is missing Authentication Token")
        case .incompleteSignature: STSError(.incompleteSignature, error.message)
        case .unknownAccessKey: STSError(.invalidClientTokenID, error.message)
        case .wrongScope, .skewPast, .skewFuture, .unsignedHeader, .duplicateHeader, .bodyDigestMismatch,
            .signatureMismatch:
            STSError(.signatureDoesNotMatch, error.message)
        case .internalFailure: STSError.internalFailure
        }
    }
}
