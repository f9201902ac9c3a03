internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Synchronization

/// The users of one token's login, counted. C_Login is per process and token; key stores are per account and Region.
actor TokenLogin {
    nonisolated let configuration: TokenDeviceConfiguration
    private let report: @Sendable (TokenEvent) -> Void
    private var current: Current?
    /// A connection that was given up while a call into its module had not come back.
    private var lingering: TokenConnection?
    /// Those before it of which a worker was still inside a call.
    private var left: [TokenConnection] = []
    /// Connecting and disconnecting take turns: an actor alone lets others in at each await.
    private var isBusy = false
    private var turns: [CheckedContinuation<Void, Never>] = []

    private struct Current {
        let connection: TokenConnection
        let pin: LoginPIN
        var users: Int
    }

    init(configuration: TokenDeviceConfiguration, report: @escaping @Sendable (TokenEvent) -> Void) {
        self.configuration = configuration
        self.report = report
    }

    func connect(
        password: SecretBytes?, refusals: any RefusedPINs
    ) async throws(ConnectionFailure) -> any KeyStore {
        await takeTurn()
        defer { passTurn() }
        let pin = try self.pin(password)
        if refusals.isRefused(pin, device: configuration.clusterID) {
            throw ConnectionFailure(.invalidCredentials, "the token has refused this PIN before; it is not tried again")
        }
        if let current {
            // The token is not asked: a wrong password of one user must not count against the PIN of all.
            guard current.pin.admits(pin) else {
                throw ConnectionFailure(.invalidCredentials, "the PIN is not the one that is logged in")
            }
            self.current?.users += 1
            return TokenKeyStore(connection: current.connection)
        }
        guard lingering?.hasEnded ?? true else {
            throw ConnectionFailure(.networkErrors, "an earlier call to the token has not come back")
        }
        left = (left + [lingering].compactMap(\.self)).filter { !$0.isDeserted }
        let connection = TokenConnection(configuration: configuration, report: report)
        lingering = connection
        var reread: (@Sendable () -> SecretBytes?)?
        if password == nil { reread = { [self] () -> SecretBytes? in try? self.pin(nil) } }
        let isUndecided = refusals.isUndecided(pin, device: configuration.clusterID)
        let loginPIN = LoginPIN(pin, isUndecided: isUndecided, reread: reread)
        do throws(ConnectionFailure) {
            try await connection.start(pin: loginPIN, refusals: refusals)
        } catch {
            if connection.hasEnded, !isUndecided { await refusals.endLogin(pin, device: configuration.clusterID) }
            throw error
        }
        await refusals.endLogin(pin, device: configuration.clusterID)
        lingering = nil
        current = Current(connection: connection, pin: loginPIN, users: 1)
        return TokenKeyStore(connection: connection)
    }

    /// Gives the next C_Login another PIN. Nobody is disconnected, and the token is not asked. A password that cannot
    /// be a PIN leaves the old one.
    func renew(password: SecretBytes) async {
        await takeTurn()
        defer { passTurn() }
        if let pin = try? pin(password) { current?.pin.renew(pin) }
    }

    func disconnect() async {
        await takeTurn()
        defer { passTurn() }
        guard let users = current?.users else { return }
        if users > 1 {
            current?.users = users - 1
        } else {
            await leave()
        }
    }

    /// - Returns: whether every call into the module has come back.
    func shutDown() async -> Bool {
        await takeTurn()
        defer { passTurn() }
        await leave()
        return (left + [lingering].compactMap(\.self)).allSatisfy(\.isDeserted)
    }

    var health: TokenHealth { current?.connection.health ?? .notConnected }

    var capabilities: TokenCapabilities? { current?.connection.state.withLock { $0.capabilities } }

    private func leave() async {
        guard let connection = current?.connection else { return }
        current = nil
        lingering = connection
        await connection.stop()
    }

    // MARK: PINs

    /// What C_Login gets.
    private nonisolated func pin(_ password: SecretBytes?) throws(ConnectionFailure) -> SecretBytes {
        let password = if let password { password } else { try configuredPIN() }
        guard password.count > 0 else { throw ConnectionFailure(.invalidCredentials, "the PIN is empty") }
        let pin =
            if let userName = configuration.userName {
                SecretBytes.pin(user: userName, password: password)
            } else {
                password
            }
        guard pin.count <= LoginPIN.longestByteCount else {
            throw ConnectionFailure(.invalidCredentials, "the PIN is too long")
        }
        return pin
    }

    private nonisolated func configuredPIN() throws(ConnectionFailure) -> SecretBytes {
        do throws(PINUnreadable) {
            switch configuration.pin {
            case .file(let path): return try .pin(file: path)
            case .environment(let name): return try .pin(environment: name)
            case nil: break
            }
        } catch {
            throw ConnectionFailure(.invalidCredentials, error.reason)
        }
        throw ConnectionFailure(.invalidCredentials, "no password is given and the device names no PIN")
    }

    // MARK: Turns

    private func takeTurn() async {
        guard isBusy else {
            isBusy = true
            return
        }
        await withCheckedContinuation { turns.append($0) }
    }

    private func passTurn() {
        if turns.isEmpty {
            isBusy = false
        } else {
            turns.removeFirst().resume()
        }
    }
}
