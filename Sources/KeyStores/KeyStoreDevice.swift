public import KMSModel
public import SecureMemory

/// A device of this installation that a custom key store (AWS_CLOUDHSM) can be attached to, as `hsm-config/` tells it.
public struct KeyStoreDevice: Sendable, Hashable {
    /// The CloudHsmClusterId that CreateCustomKeyStore names: `cluster-` and 11...16 characters of `[2-7a-zA-Z]`.
    public let clusterID: String
    /// The PEM certificate that TrustAnchorCertificate must equal; nil takes any well-formed one.
    public let trustAnchorPEM: String?
    /// The accounts that may attach the device; nil means every account.
    public let accounts: Set<String>?

    public init(clusterID: String, trustAnchorPEM: String?, accounts: Set<String>?) {
        self.clusterID = clusterID
        self.trustAnchorPEM = trustAnchorPEM
        self.accounts = accounts
    }
}

/// Why a device could not be logged in to. `code` is what DescribeCustomKeyStores shows as ConnectionErrorCode.
public struct ConnectionFailure: Error, Equatable, CustomStringConvertible {
    public let code: ConnectionErrorCodeType
    /// For the server's log; never a secret.
    public let reason: String

    public init(_ code: ConnectionErrorCodeType, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public var description: String { "\(code.rawValue): \(reason)" }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

/// The devices of this installation and the logins to them.
///
/// C_Login is per process and token, key stores are per account and Region, so several key stores may share one
/// login: it is counted. The second and later users' passwords are compared (constant time, keyed hash) with the
/// one that logged in; a different one is INVALID_CREDENTIALS without asking the token.
public protocol KeyStoreDevices: Sendable {
    /// Nil when the installation has no such device.
    func device(_ clusterID: String) -> KeyStoreDevice?

    /// Logs in (or joins an existing login) and probes the token. May take seconds; bounded.
    ///
    /// A PIN that `refusals` knows as refused is never tried again: INVALID_CREDENTIALS at once. A PIN that the token
    /// refuses is reported to `refusals` before this throws.
    ///
    /// - Parameter password: the PIN; nil takes the one that the device's configuration names (PIN file or
    ///   environment variable).
    func connect(
        _ clusterID: String, password: SecretBytes?, refusals: any RefusedPINs
    ) async throws(ConnectionFailure) -> any KeyStore

    /// Takes another PIN for the next login of a device that is connected: recovery logs in again. The token is not
    /// asked now.
    func renewPassword(_ clusterID: String, _ password: SecretBytes) async

    /// Why the device cannot work now, in a sentence; nil when it can.
    func obstacle(_ clusterID: String) async -> String?

    /// Gives back one `connect`. The last one logs out.
    func disconnect(_ clusterID: String) async
}

/// Remembers on disk, as keyed hashes, which PINs were refused and which are being tried, so that no loop of restarts
/// can lock a token.
public protocol RefusedPINs: Sendable {
    func isRefused(_ pin: SecretBytes, device clusterID: String) -> Bool
    /// Durable when it returns.
    func refuse(_ pin: SecretBytes, device clusterID: String) async

    /// Whether a first login with this PIN began whose end nobody saw: the process died in it.
    func isUndecided(_ pin: SecretBytes, device clusterID: String) -> Bool
    /// Before a first login. Durable when it returns.
    func beginLogin(_ pin: SecretBytes, device clusterID: String) async
    /// The login has come to its end.
    func endLogin(_ pin: SecretBytes, device clusterID: String) async
}
