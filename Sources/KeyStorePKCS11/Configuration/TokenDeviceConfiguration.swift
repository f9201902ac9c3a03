public import KeyStores
public import PKCS11

/// One device of `hsm-config/`: a module, a token in it, how to log in, and what the device is like.
///
/// Holds no secret: the PIN is named by its place. Unknown keys are errors, so that a misspelt setting is noticed.
public struct TokenDeviceConfiguration: Sendable, Hashable {
    /// The CloudHsmClusterId that CreateCustomKeyStore names.
    public var clusterID: String
    /// The module's library file.
    public var modulePath: String
    public var token: TokenSelector
    /// The module's own initialisation string (NSS softoken).
    public var reservedInitString: String?
    /// The user of a device whose PIN is `user:password` (AWS CloudHSM); nil where the PIN is the password alone.
    public var userName: String?
    /// Where the PIN is that is used when no KeyStorePassword is given.
    public var pin: PINPlace?
    /// The accounts that may attach the device; nil means every account.
    public var accounts: Set<String>?
    /// PEM.
    public var trustAnchor: String?
    public var profile: TokenProfile

    public init(
        clusterID: String, modulePath: String, token: TokenSelector, reservedInitString: String? = nil,
        userName: String? = nil, pin: PINPlace? = nil, accounts: Set<String>? = nil, trustAnchor: String? = nil,
        profile: TokenProfile = TokenProfile()
    ) {
        self.clusterID = clusterID
        self.modulePath = modulePath
        self.token = token
        self.reservedInitString = reservedInitString
        self.userName = userName
        self.pin = pin
        self.accounts = accounts
        self.trustAnchor = trustAnchor
        self.profile = profile
    }

    /// What the KMS core is told of it.
    public var device: KeyStoreDevice {
        KeyStoreDevice(clusterID: clusterID, trustAnchorPEM: trustAnchor, accounts: accounts)
    }
}

public enum PINPlace: Sendable, Hashable {
    /// A file with mode 0600 that holds the PIN and nothing else.
    case file(String)
    /// The name of an environment variable.
    case environment(String)
}

/// Why a configuration cannot be used. One sentence for the person who wrote it.
public struct TokenConfigurationError: Error, Sendable, CustomStringConvertible {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }

    public var description: String { reason }
}

extension TokenDeviceConfiguration {
    /// Checks what decoding cannot: lengths and ranges.
    func validate() throws(TokenConfigurationError) {
        let suffix = clusterID.dropFirst("cluster-".count).utf8
        let isValidCluster =
            clusterID.hasPrefix("cluster-") && (11...16).contains(suffix.count)
            && suffix.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "2")...UInt8(ascii: "7"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"):
                    true
                default: false
                }
            }
        guard isValidCluster else {
            throw refusal("clusterId must be \"cluster-\" and 11 to 16 characters of a-z, A-Z, 2-7")
        }
        guard modulePath.hasPrefix("/") else { throw refusal("module must be an absolute path") }
        switch token {
        case .label(let label):
            // CK_TOKEN_INFO has 32 bytes for the label and 16 for the serial number.
            guard (1...32).contains(label.utf8.count) else { throw refusal("token.label must have 1 to 32 bytes") }
        case .serialNumber(let serial):
            guard (1...16).contains(serial.utf8.count) else { throw refusal("token.serial must have 1 to 16 bytes") }
        }
        if let userName, userName.isEmpty || userName.contains(":") {
            throw refusal("userName must not be empty nor hold a colon")
        }
        try profile.validate(refusal)
    }

    private func refusal(_ reason: String) -> TokenConfigurationError {
        TokenConfigurationError("device \(clusterID): \(reason)")
    }
}
