internal import KMSModel
internal import KeyStores
internal import PKCS11

// The boundary between a token's answers and the ConnectionErrorCodes of custom key stores.

extension ConnectionFailure {
    /// What an error while connecting means for the person who reads DescribeCustomKeyStores.
    init(_ error: PKCS11Error) {
        self.init(Self.code(of: error), error.description)
    }

    init(_ failure: ModuleLoadFailure) {
        switch failure.kind {
        // What the clusterId names is not there, and trying again does not help: the same as a deleted cluster.
        case .missingFile: self.init(.clusterNotFound, failure.reason)
        case .notLoadable, .notInitialized, .conflict: self.init(.internalError, failure.reason)
        }
    }

    private static func code(of error: PKCS11Error) -> ConnectionErrorCodeType {
        switch (error.function, error.returnValue) {
        case (.login, .pinIncorrect), (.login, .pinInvalid), (.login, .pinLenRange), (.login, .pinExpired):
            .invalidCredentials
        case (.login, .pinLocked):
            .userLockedOut
        case (.login, .userPINNotInitialized), (.login, .userTypeInvalid):
            .userNotFound
        // Somebody in this process is logged in past our counting: whose password that was cannot be known.
        case (.login, .userAlreadyLoggedIn), (.login, .userAnotherAlreadyLoggedIn), (.login, .userTooManyTypes):
            .userLoggedIn
        case (_, .deviceError), (_, .deviceRemoved), (_, .tokenNotPresent):
            .networkErrors
        case (_, .tokenNotRecognized), (_, .slotIDInvalid):
            .clusterNotFound
        default:
            .internalError
        }
    }
}

extension PKCS11Error {
    /// The token has looked at the PIN and does not want it. Trying it again could lock the token.
    var refusesPIN: Bool {
        guard function == .login else { return false }
        switch returnValue {
        case .pinIncorrect, .pinInvalid, .pinLenRange, .pinExpired, .pinLocked: return true
        default: return false
        }
    }
}
