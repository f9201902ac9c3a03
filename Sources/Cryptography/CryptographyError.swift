internal import CLibCrypto

/// The one error of this module. Equality looks at the code only; `reason` is for the log and never holds a secret.
public struct CryptographyError: Error, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable {
        /// A tag did not verify: wrong key, nonce, associated data, ciphertext or tag. Deliberately without detail.
        case authenticationFailure
        /// A key, IV, tag or message has a length that the algorithm does not take.
        case invalidLength
        /// Bytes that are no key of the kind asked for: bad encoding, another type or curve, not on the curve.
        case invalidKey
        /// The installed libcrypto does not offer the algorithm (a provider or its configuration is missing).
        case unsupportedAlgorithm
        /// libcrypto refused or failed; the reason is libcrypto's.
        case failure
    }

    public let code: Code
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public var description: String { "\(code.rawValue): \(reason)" }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }

    /// What libcrypto says about the call that just failed on this thread. Empties the thread's error queue, so that
    /// the next failure is not blamed on this one.
    static func fromLibrary(_ function: StaticString, code: Code = .failure) -> CryptographyError {
        let first = ERR_get_error()
        ERR_clear_error()
        guard first != 0, let text = unsafe ERR_reason_error_string(first) else {
            return CryptographyError(code, "\(function) failed")
        }
        // Reason strings are constants of libcrypto; they never quote an argument.
        return CryptographyError(code, "\(function): \(unsafe String(cString: text))")
    }

    /// The only answer to a message that does not verify. Empties the thread's error queue too.
    static func notAuthentic() -> CryptographyError {
        ERR_clear_error()
        return CryptographyError(.authenticationFailure, "the message does not verify")
    }
}
