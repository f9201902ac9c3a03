/// The one error that key stores throw.
///
/// The KMS core acts on `code`; `reason` is for the server's log and for people, and never holds a secret. Equality
/// looks at the code only, so that tests compare codes.
public struct KeyStoreError: Error, Equatable, CustomStringConvertible {
    /// What the domain can act on.
    public enum Code: String, Sendable {
        /// The material is not there: destroyed behind our back, or never finished.
        case keyNotFound
        /// This store cannot do this exactly; the reason says why.
        case unsupportedAlgorithm
        /// Tag, associated data or padding did not verify. Deliberately without detail.
        case invalidCiphertext
        /// Imported material that unwraps but is not what its key spec needs; the reason, without a secret, is for
        /// whoever made it.
        case incorrectMaterial
        /// An object that cannot be a backing key as it is; the reason is for whoever wants to adopt it.
        case notAdoptable
        /// The store is not reachable now and may come back (token gone, not logged in, canary failed).
        case unavailable
        /// Too much work is waiting already. The caller may try again.
        case overloaded
        /// There is no room for another key. Nothing was made, and everything else goes on.
        case full
        /// The store did not answer in time.
        case timedOut
        /// Anything else: fail closed.
        case internalFailure
    }

    public let code: Code
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public var description: String { "\(code.rawValue): \(reason)" }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}
