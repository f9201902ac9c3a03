package import KeyStores
package import PKCS11

// The boundary between a token's answers and the errors of key stores. Return codes are not categories: the same
// code means a bad tag on one token and a dead device on another, and differs by operation.

/// What a key store asks of a token, as far as errors differ by it.
package enum TokenOperation: Sendable, Hashable {
    case encrypt
    /// With what this token answers to a wrong tag or padding, as the probe saw it; nil where it was not seen.
    case decrypt(junk: ReturnValue?)
    case sign, authenticate, deriveSharedSecret
    case fingerprint
    case generateKey
    /// Takes seconds where the others take milliseconds.
    case generateKeyPair
    case importKey
    /// Tries an object in every way that its key spec has.
    case adoptKey
    /// By its handle.
    case destroyKey
    /// With everything else that the token holds under its name.
    case findAndDestroyKey
    case random, inventory

    /// Whether it makes objects that stay.
    private var fillsToken: Bool { self == .generateKey || self == .generateKeyPair || self == .importKey }

    private var searches: Bool { self == .findAndDestroyKey || self == .adoptKey || self == .inventory }

    var turn: ObjectTurns.Kind? { fillsToken ? .making : searches ? .searching : nil }

    /// Whether it takes seconds: RSA keys are made, their primes tested, or a key is tried many times.
    var isLong: Bool { self == .generateKeyPair || self == .importKey || self == .adoptKey }

    var isDecryption: Bool {
        if case .decrypt = self { true } else { false }
    }
}

/// What is to be done about an error.
package enum ErrorVerdict: Sendable, Equatable {
    /// The token is well and the answer is final.
    case final(KeyStoreError)
    /// The canary decides: a sick token makes this `unavailable`, a healthy one this error, after one more try in
    /// another session where `retry` says so.
    case askCanary(ifHealthy: KeyStoreError, retry: Bool)
    /// As `askCanary`, but the key may have another handle by now, or be gone.
    case askCanaryForKey
}

extension TokenOperation {
    package func verdict(on error: PKCS11Error) -> ErrorVerdict {
        let junk: ReturnValue? = if case .decrypt(let junk) = self { junk } else { nil }
        switch error.returnValue {
        case .objectHandleInvalid, .keyHandleInvalid:
            return .askCanaryForKey
        case .mechanismInvalid, .mechanismParamInvalid, .functionNotSupported, .keyFunctionNotPermitted,
            .keyTypeInconsistent, .keySizeRange:
            return .final(KeyStoreError(.unsupportedAlgorithm, error.description))
        // "The token does not have sufficient memory" (PKCS#11 v3.1 §5.1.3): a full token is not a sick one, and is not
        // asked.
        case .deviceMemory where fillsToken:
            return .final(KeyStoreError(.full, error.description))
        case .encryptedDataInvalid, .encryptedDataLenRange, .dataInvalid, .dataLenRange, .aeadDecryptFailed:
            if isDecryption { return .final(Self.invalidCiphertext) }
        // SoftHSM, and other devices for a bad tag; and every device for a fault of its own.
        case .generalError, .functionFailed, .deviceError:
            // Only C_Decrypt has seen the ciphertext. It gets a second try whatever the token says of wrong tags: it
            // may have been a passing fault, and a good ciphertext must not be called invalid for that.
            if isDecryption, error.function == .decrypt {
                return .askCanary(ifHealthy: Self.invalidCiphertext, retry: true)
            }
            if isRepeatable { return .askCanary(ifHealthy: failure(error), retry: true) }
        // The session is not what we think it is: logged out, closed, or in the middle of something.
        case .sessionHandleInvalid, .sessionClosed, .userNotLoggedIn, .operationActive, .operationNotInitialized,
            .cryptokiNotInitialized:
            return .askCanary(ifHealthy: failure(error), retry: isRepeatable)
        default:
            break
        }
        if self == .importKey, error.function == .decrypt, error.mayMeanJunk {
            return .askCanary(ifHealthy: Self.invalidCiphertext, retry: true)
        }
        if isDecryption, error.returnValue == junk {
            return .askCanary(ifHealthy: Self.invalidCiphertext, retry: true)
        }
        return .askCanary(ifHealthy: failure(error), retry: isRepeatable && error.isDeviceFault)
    }

    /// Whether doing it twice is the same as doing it once.
    var isRepeatable: Bool {
        switch self {
        case .encrypt, .decrypt, .sign, .authenticate, .deriveSharedSecret, .fingerprint, .random, .inventory,
            .adoptKey:
            true
        case .generateKey, .generateKeyPair, .importKey, .destroyKey, .findAndDestroyKey: false
        }
    }

    static let invalidCiphertext = KeyStoreError(.invalidCiphertext, "the ciphertext does not verify")

    private func failure(_ error: PKCS11Error) -> KeyStoreError {
        KeyStoreError(.internalFailure, error.description)
    }
}

extension PKCS11Error {
    /// The caller's fault, after which the session is as good as before. Every other error costs the session.
    var leavesSessionUsable: Bool {
        switch returnValue {
        case .encryptedDataInvalid, .encryptedDataLenRange, .dataInvalid, .dataLenRange, .aeadDecryptFailed,
            .keyFunctionNotPermitted, .keyHandleInvalid, .objectHandleInvalid:
            true
        default:
            false
        }
    }
}
