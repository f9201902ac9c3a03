/// Something about a token that its operator should know. Never holds a secret.
public struct TokenEvent: Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        case connected
        case disconnected
        /// The canary failed; recovery has begun.
        case sick
        /// An attempt at recovery failed, for a reason that is another one than before.
        case stillSick
        case recovered
        /// Recovery stopped: the PIN is refused now. It begins again with the next connect.
        case gaveUp
        /// A call did not come back in time and its thread was given up.
        case stuckCall
        /// Something unexpected on the token, such as two objects with the same CKA_ID.
        case finding
    }

    public let clusterID: String
    public let kind: Kind
    public let message: String

    public var description: String { "\(clusterID): \(kind.rawValue): \(message)" }
}

/// Whether a device can work now.
public enum TokenHealth: Sendable, Equatable {
    case notConnected
    case healthy
    /// The reason, for people.
    case unavailable(String)
}
