public import KMSModel
import KeyStores
import Logging
import SecureMemory

// Connecting and disconnecting custom key stores, by request and after a restart.
extension KeyManagementService {
    private static let passwordPurpose = "key-store-password"

    func sealPassword(_ password: SecretBytes, of customKeyStoreID: String) throws(KMSError) -> [UInt8] {
        do {
            return try sealing.seal(
                password, purpose: Self.passwordPurpose, associatedData: Array(customKeyStoreID.utf8))
        } catch {
            throw .internalError
        }
    }

    /// KMS API: ConnectCustomKeyStore. Answers at once; the login goes on in the background.
    public func connectCustomKeyStore(
        _ request: ConnectCustomKeyStoreRequest, _ context: RequestContext
    ) async throws(KMSError) -> ConnectCustomKeyStoreResponse {
        try authorize(.connectCustomKeyStore, context)
        let keyStore = try customKeyStore(request.customKeyStoreId, context)
        if let attempt = try registry.beginConnecting(keyStore.id) {
            backgroundWork.submit { await self.finishConnecting(keyStore, attempt: attempt) }
        }
        return ConnectCustomKeyStoreResponse()
    }

    /// KMS API: DisconnectCustomKeyStore. From now on its keys are Unavailable.
    public func disconnectCustomKeyStore(
        _ request: DisconnectCustomKeyStoreRequest, _ context: RequestContext
    ) async throws(KMSError) -> DisconnectCustomKeyStoreResponse {
        try authorize(.disconnectCustomKeyStore, context)
        let keyStore = try customKeyStore(request.customKeyStoreId, context)
        let before = try registry.beginDisconnecting(keyStore.id)
        do {
            try await record(.disconnected, of: keyStore.id)
        } catch {
            // An attempt to connect that was under way has noticed and given up meanwhile.
            switch before {
            case .connected(_?), .failed: registry.setConnection(before, of: keyStore.id)
            default: registry.setConnection(.failed(.internalError), of: keyStore.id)
            }
            throw error
        }
        if case .connected(_?) = before { await devices.disconnect(keyStore.clusterID) }
        registry.setConnection(.disconnected, of: keyStore.id)
        return DisconnectCustomKeyStoreResponse()
    }

    private func finishConnecting(_ keyStore: CustomKeyStore, attempt: UInt64) async {
        let isCurrent: @Sendable () -> Bool = { [registry] in registry.isConnecting(keyStore.id, attempt: attempt) }
        do throws(ConnectionFailure) {
            let connected = try await login(keyStore)
            do {
                try await record(.connected, of: keyStore.id, if: isCurrent)
            } catch {
                await devices.disconnect(keyStore.clusterID)
                throw ConnectionFailure(.internalError, "the connection could not be recorded: \(error)")
            }
            // Before anybody can use it: what an interruption left behind must not meet new keys.
            _ = await reconcile(.device(clusterID: keyStore.clusterID), in: connected)
            if !registry.endConnecting(keyStore.id, attempt: attempt, with: .connected(connected)) {
                // A disconnect came in between; it found nothing to give back.
                await devices.disconnect(keyStore.clusterID)
            }
        } catch {
            logger.warning(
                "a custom key store was not connected", metadata: ["keyStore": "\(keyStore.id)", "error": "\(error)"])
            _ = try? await record(.failed(error.code), of: keyStore.id, if: isCurrent)
            _ = registry.endConnecting(keyStore.id, attempt: attempt, with: .failed(error.code))
        }
    }

    private func login(_ keyStore: CustomKeyStore) async throws(ConnectionFailure) -> any KeyStore {
        let password: SecretBytes
        do {
            password = try sealing.open(
                keyStore.sealedPassword, purpose: Self.passwordPurpose, associatedData: Array(keyStore.id.utf8))
        } catch {
            throw ConnectionFailure(.internalError, "the stored password could not be opened: \(error)")
        }
        // The installation may have changed since the key store was created.
        guard devices.device(keyStore.clusterID)?.accounts?.contains(keyStore.scope.accountID) ?? true else {
            throw ConnectionFailure(
                .clusterNotFound, "the account \(keyStore.scope.accountID) may not attach \(keyStore.clusterID)")
        }
        return try await devices.connect(keyStore.clusterID, password: password, refusals: refusedPINs)
    }

    /// - Parameter isCurrent: asked when nobody else can record; nothing is recorded when the world has moved on.
    private func record(
        _ connection: CustomKeyStore.Connection, of id: String,
        if isCurrent: @escaping @Sendable () -> Bool = { true }
    ) async throws(KMSError) {
        try await metadata.write { directory, changes throws(KMSError) in
            guard isCurrent() else { return }
            guard var keyStore = directory.customKeyStores[id] else { throw .customKeyStoreNotFound(id) }
            guard keyStore.connection != connection else { return }
            keyStore.connection = connection
            changes.append(.putCustomKeyStore(keyStore))
        }
    }

    /// Gives back what a custom key store holds, whatever its state.
    func releaseConnection(of id: String) async {
        if case .connected(_?) = registry.connection(id),
            let clusterID = metadata.read({ $0.customKeyStores[id]?.clusterID })
        {
            await devices.disconnect(clusterID)
        }
        registry.setConnection(nil, of: id)
    }

    // MARK: Start

    /// Logs in to the devices that hold keys by default, brings custom key stores into the states that they were in,
    /// and finishes what an interruption left behind. Returns after the first attempts; those that failed for a
    /// reason that may pass go on in the background.
    public func connectAtStart() async {
        await withDiscardingTaskGroup { group in
            let defaultDevices = metadata.read { directory in
                Set(
                    directory.keys { $0.customKeyStoreID == nil }.map(\.placement)
                        + [self.configuration.defaultPlacement])
            }
            for case .device(let clusterID) in defaultDevices {
                group.addTask { await self.connectDefaultDevice(clusterID, told: nil) }
            }
            for keyStore in metadata.read({ Array($0.customKeyStores.values) }) {
                switch keyStore.connection {
                case .disconnected: registry.setConnection(.disconnected, of: keyStore.id)
                case .failed(let code): registry.setConnection(.failed(code), of: keyStore.id)
                case .connected:
                    registry.setConnection(.connected(nil), of: keyStore.id)
                    group.addTask { await self.resume(keyStore, told: nil) }
                }
            }
        }
        _ = await reconcile(.software, in: registry.software)
    }

    /// However long a token has been away, it is in service soon after its return.
    private static let pauseBetweenAttempts = Duration.seconds(1)

    /// - Parameter told: what the last attempt failed for: the log has it already.
    private func connectDefaultDevice(_ clusterID: String, told: ConnectionFailure?) async {
        do throws(ConnectionFailure) {
            let keyStore = try await devices.connect(clusterID, password: nil, refusals: refusedPINs)
            _ = await reconcile(.device(clusterID: clusterID), in: keyStore)
            registry.setDefaultDevice(clusterID, keyStore)
        } catch {
            if error.description != told?.description {
                logger.error("a device is not available", metadata: ["device": "\(clusterID)", "error": "\(error)"])
            }
            // Whatever the reason: a PIN that was refused is not tried again, and its file may hold another one by
            // then.
            tryAgain { await self.connectDefaultDevice(clusterID, told: error) }
        }
    }

    private func resume(_ keyStore: CustomKeyStore, told: ConnectionFailure?) async {
        guard case .connected(nil) = registry.connection(keyStore.id) else { return }
        do throws(ConnectionFailure) {
            let connected = try await login(keyStore)
            _ = await reconcile(.device(clusterID: keyStore.clusterID), in: connected)
            if !registry.resume(keyStore.id, with: connected) { await devices.disconnect(keyStore.clusterID) }
        } catch {
            if error.description != told?.description {
                logger.error(
                    "a custom key store is not available",
                    metadata: ["keyStore": "\(keyStore.id)", "error": "\(error)"])
            }
            if error.mayPass {
                // CONNECTED stays: it is no health signal (KMS Developer Guide, "Connection state").
                tryAgain { await self.resume(keyStore, told: error) }
            } else if registry.failResuming(keyStore.id, with: error.code) {
                _ = try? await record(.failed(error.code), of: keyStore.id) { [registry] in
                    if case .failed = registry.connection(keyStore.id) { true } else { false }
                }
            }
        }
    }

    private func tryAgain(_ body: @escaping @Sendable () async -> Void) {
        backgroundWork.submit {
            guard (try? await Task.sleep(for: Self.pauseBetweenAttempts)) != nil else { return }
            await body()
        }
    }

    /// Why the server cannot do its work now, for the readiness probe; nil when it can.
    public var obstacle: String? {
        get async {
            guard case .device(let clusterID) = configuration.defaultPlacement else { return nil }
            return await devices.obstacle(clusterID)
        }
    }
}

extension ConnectionFailure {
    /// Whether the same login may succeed later without anybody changing a PIN or a configuration.
    fileprivate var mayPass: Bool {
        switch code {
        case .networkErrors, .internalError, .clusterNotFound, .insufficientCloudhsmHsms: true
        default: false
        }
    }
}
