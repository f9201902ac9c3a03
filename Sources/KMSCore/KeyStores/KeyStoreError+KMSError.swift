import KMSModel
import KeyStores

/// What a key store was doing when it failed: the same failure has different answers.
enum KeyStoreUse {
    case create
    /// Making a wrapping key for imports.
    case prepareImport
    case encrypt
    case decrypt
    case sign
    case mac
    case derive
    case random
    /// Unwrapping key material.
    case importMaterial
}

// The one place where a key store's error becomes an answer of the API.
//
// Sources: KMS Developer Guide, "Troubleshooting a custom key store": every cryptographic failure of a key in a custom
// key store is KMSInvalidStateException, a 400, with the cause in its message only. Keys that are placed on a token
// because it is the default key store never heard of custom key stores: for them a token that is down is
// KeyUnavailableException, which SDKs retry.
extension KeyStoreError {
    func kmsError(_ use: KeyStoreUse, keyARN: String, inCustomKeyStore: Bool) -> KMSError {
        switch code {
        case .invalidCiphertext:
            // Without a message: a failed tag, a wrong encryption context and a truncated blob look alike.
            // Only decryption and unwrapping judge ciphertexts; anywhere else it is a fault of the store.
            return use == .decrypt || use == .importMaterial ? .invalidCiphertext() : .internalError
        case .notAdoptable:
            return .validation(reason)
        case .incorrectMaterial:
            return .incorrectKeyMaterial(reason)
        case .overloaded:
            return .throttled
        case .full:
            // The operations that take no key material from outside have LimitExceededException among their errors (KMS
            // API Reference), the others KMSInvalidStateException.
            return use == .create ? .limitExceeded(Self.noRoom) : KMSError(.kmsInvalidState, Self.noRoom)
        case .unsupportedAlgorithm:
            return .unsupportedOperation("\(keyARN): \(reason)")
        case .keyNotFound:
            return inCustomKeyStore
                ? KMSError(
                    .kmsInvalidState,
                    "The backing key of \(keyARN) was not found in the cluster of its custom key store.")
                : KMSError(.keyUnavailable, "The key material of \(keyARN) is not available.")
        case .unavailable, .timedOut:
            if inCustomKeyStore {
                return use == .random || use == .create || use == .prepareImport
                    ? KMSError(.kmsInternal, "KMS cannot communicate with your CloudHSM cluster")
                    : KMSError(.kmsInvalidState, "KMS cannot communicate with your CloudHSM cluster")
            }
            return code == .timedOut
                ? KMSError(.dependencyTimeout, "The key store did not answer in time. Try the request again.")
                : KMSError(.keyUnavailable, "The key store is not available. Try the request again.")
        case .internalFailure:
            return .internalError
        }
    }

    private static let noRoom =
        "The token of the key store has no room for another key. Delete KMS keys that nobody needs, or make room on the "
        + "token, and try the request again. Keys that are there go on working."
}
