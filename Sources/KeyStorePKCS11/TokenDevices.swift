internal import KMSModel
public import KeyStores
internal import PKCS11
public import SecureMemory

/// The PKCS#11 devices of this installation and the logins to them, one per token whoever uses it.
public final class TokenDevices: KeyStoreDevices {
    private let logins: [String: TokenLogin]

    /// - Parameter report: is told what operators should know; called on any thread, must not block.
    public init(
        _ configurations: [TokenDeviceConfiguration], report: @escaping @Sendable (TokenEvent) -> Void = { _ in }
    ) throws(TokenConfigurationError) {
        var logins: [String: TokenLogin] = [:]
        for configuration in configurations {
            try configuration.validate()
            guard logins[configuration.clusterID] == nil else {
                throw TokenConfigurationError("two devices have the clusterId \(configuration.clusterID)")
            }
            // Two logins to one token would each log the other out.
            let twin = logins.values.first {
                $0.configuration.modulePath == configuration.modulePath && $0.configuration.token == configuration.token
            }
            if let twin {
                throw TokenConfigurationError(
                    "the devices \(twin.configuration.clusterID) and \(configuration.clusterID) name the same token")
            }
            logins[configuration.clusterID] = TokenLogin(configuration: configuration, report: report)
        }
        self.logins = logins
    }

    public func device(_ clusterID: String) -> KeyStoreDevice? {
        logins[clusterID]?.configuration.device
    }

    /// The clusterIds of all devices, in order.
    public var clusterIDs: [String] { logins.keys.sorted() }

    public func connect(
        _ clusterID: String, password: SecretBytes?, refusals: any RefusedPINs
    ) async throws(ConnectionFailure) -> any KeyStore {
        guard let login = logins[clusterID] else {
            throw ConnectionFailure(.clusterNotFound, "no device \(clusterID) is configured")
        }
        return try await login.connect(password: password, refusals: refusals)
    }

    public func renewPassword(_ clusterID: String, _ password: SecretBytes) async {
        await logins[clusterID]?.renew(password: password)
    }

    public func disconnect(_ clusterID: String) async {
        await logins[clusterID]?.disconnect()
    }

    public func obstacle(_ clusterID: String) async -> String? {
        switch await health(clusterID) {
        case nil, .notConnected?: "the device \(clusterID) is not logged in"
        case .unavailable(let reason)?: "the device \(clusterID) is not available: \(reason)"
        case .healthy?: nil
        }
    }

    /// Logs out of everything, whoever uses it, for the end of the process.
    ///
    /// - Returns: whether every call into a module has come back. If not, the process must end without running what
    ///   modules have left for its end (`_exit`): they would tear down what the call stands on.
    public func shutDown() async -> Bool {
        var isDeserted = true
        for login in logins.values where await !login.shutDown() { isDeserted = false }
        return isDeserted
    }

    /// Whether the device can work now; nil when there is no such device.
    public func health(_ clusterID: String) async -> TokenHealth? {
        await logins[clusterID]?.health
    }

    /// What the probe found when the device was connected; nil while it is not.
    public func capabilities(_ clusterID: String) async -> TokenCapabilities? {
        await logins[clusterID]?.capabilities
    }
}
