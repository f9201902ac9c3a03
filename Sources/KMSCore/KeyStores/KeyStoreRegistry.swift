import KMSModel
import KeyStores
import Synchronization

/// Which key store is behind a placement or a custom key store right now. State only: who connects what, and when, is
/// decided by `KeyManagementService`.
final class KeyStoreRegistry: Sendable {
    /// The five states of a custom key store, with what each holds.
    enum Connection: Sendable {
        case disconnected
        /// The number tells a late answer of an abandoned attempt from the current one.
        case connecting(attempt: UInt64)
        /// Nil after a restart until the login in the background has succeeded: CONNECTED tells of the last
        /// connect, not of health.
        case connected((any KeyStore)?)
        case disconnecting
        case failed(ConnectionErrorCodeType)

        var state: ConnectionStateType {
            switch self {
            case .disconnected: .disconnected
            case .connecting: .connecting
            case .connected: .connected
            case .disconnecting: .disconnecting
            case .failed: .failed
            }
        }
    }

    private struct State {
        var customKeyStores: [String: Connection] = [:]
        /// Devices that hold keys outside of custom key stores.
        var defaultDevices: [String: any KeyStore] = [:]
        var lastAttempt: UInt64 = 0
    }

    let software: any KeyStore
    private let state = Mutex(State())

    init(software: any KeyStore) { self.software = software }

    // MARK: Custom key stores

    func connection(_ customKeyStoreID: String) -> Connection {
        state.withLock { $0.customKeyStores[customKeyStoreID] ?? .disconnected }
    }

    func setConnection(_ connection: Connection?, of customKeyStoreID: String) {
        state.withLock { $0.customKeyStores[customKeyStoreID] = connection }
    }

    /// DISCONNECTED → CONNECTING. Nil when there is nothing to do: it is connected, or connecting already.
    ///
    /// Errors: CustomKeyStoreInvalidStateException in the states that ConnectCustomKeyStore does not take.
    func beginConnecting(_ customKeyStoreID: String) throws(KMSError) -> UInt64? {
        try state.withLock { state throws(KMSError) in
            switch state.customKeyStores[customKeyStoreID] ?? .disconnected {
            case .connected, .connecting: return nil
            case .failed, .disconnecting: throw .customKeyStoreState(customKeyStoreID, "disconnect it first")
            case .disconnected:
                state.lastAttempt += 1
                state.customKeyStores[customKeyStoreID] = .connecting(attempt: state.lastAttempt)
                return state.lastAttempt
            }
        }
    }

    func isConnecting(_ customKeyStoreID: String, attempt: UInt64) -> Bool {
        if case .connecting(attempt) = connection(customKeyStoreID) { true } else { false }
    }

    /// Ends an attempt; false when it had been abandoned by a disconnect meanwhile.
    func endConnecting(_ customKeyStoreID: String, attempt: UInt64, with result: Connection) -> Bool {
        state.withLock { state in
            guard case .connecting(attempt) = state.customKeyStores[customKeyStoreID] else { return false }
            state.customKeyStores[customKeyStoreID] = result
            return true
        }
    }

    /// → DISCONNECTING, and what was connected until now.
    ///
    /// Errors: CustomKeyStoreInvalidStateException in DISCONNECTED and DISCONNECTING.
    func beginDisconnecting(_ customKeyStoreID: String) throws(KMSError) -> Connection {
        try state.withLock { state throws(KMSError) in
            let connection = state.customKeyStores[customKeyStoreID] ?? .disconnected
            switch connection {
            case .disconnected, .disconnecting:
                throw .customKeyStoreState(customKeyStoreID, "it is not connected")
            case .connected, .connecting, .failed:
                state.customKeyStores[customKeyStoreID] = .disconnecting
                return connection
            }
        }
    }

    /// Takes the late login after a restart, unless the custom key store was disconnected meanwhile.
    func resume(_ customKeyStoreID: String, with keyStore: any KeyStore) -> Bool {
        state.withLock { state in
            guard case .connected(nil) = state.customKeyStores[customKeyStoreID] else { return false }
            state.customKeyStores[customKeyStoreID] = .connected(keyStore)
            return true
        }
    }

    /// Ends the wait for the late login; false when the custom key store was disconnected meanwhile.
    func failResuming(_ customKeyStoreID: String, with code: ConnectionErrorCodeType) -> Bool {
        state.withLock { state in
            guard case .connected(nil) = state.customKeyStores[customKeyStoreID] else { return false }
            state.customKeyStores[customKeyStoreID] = .failed(code)
            return true
        }
    }

    // MARK: Devices that hold keys by default

    func setDefaultDevice(_ clusterID: String, _ keyStore: any KeyStore) {
        state.withLock { $0.defaultDevices[clusterID] = keyStore }
    }

    // MARK: Finding a key store

    /// The store that holds a material of `key`.
    ///
    /// Errors: KMSInvalidStateException when its custom key store is not connected, KeyUnavailableException when the
    /// device is not there.
    func keyStore(of material: KeyMaterial, key: KMSKey) throws(KMSError) -> any KeyStore {
        try keyStore(at: material.placement, of: key)
    }

    /// The store that the next material of `key` goes to.
    ///
    /// Errors: as above.
    func keyStore(of key: KMSKey) throws(KMSError) -> any KeyStore { try keyStore(at: key.placement, of: key) }

    private func keyStore(at placement: Placement, of key: KMSKey) throws(KMSError) -> any KeyStore {
        guard case .device(let clusterID) = placement else { return software }
        if let customKeyStoreID = key.customKeyStoreID {
            guard case .connected(let keyStore) = connection(customKeyStoreID) else {
                throw .invalidState(key.arn, "is unavailable")
            }
            guard let keyStore else { throw unreachable.kmsError(.encrypt, keyARN: key.arn, inCustomKeyStore: true) }
            return keyStore
        }
        return try defaultDevice(clusterID, keyARN: key.arn)
    }

    /// The store for work that names a custom key store.
    ///
    /// Errors: CustomKeyStoreInvalidStateException unless it is CONNECTED.
    func keyStore(ofCustom customKeyStoreID: String) throws(KMSError) -> any KeyStore {
        guard case .connected(let keyStore) = connection(customKeyStoreID) else {
            throw .customKeyStoreState(customKeyStoreID, "connect it first")
        }
        guard let keyStore else { throw unreachable.kmsError(.create, keyARN: "", inCustomKeyStore: true) }
        return keyStore
    }

    /// Whatever reaches the device now, for work that belongs to no request: destruction, reconciliation.
    func anyKeyStore(at placement: Placement, in directory: borrowing Directory) -> (any KeyStore)? {
        guard case .device(let clusterID) = placement else { return software }
        if let keyStore = state.withLock({ $0.defaultDevices[clusterID] }) { return keyStore }
        for customKeyStore in directory.customKeyStores.values where customKeyStore.clusterID == clusterID {
            if case .connected(let keyStore?) = connection(customKeyStore.id) { return keyStore }
        }
        return nil
    }

    private func defaultDevice(_ clusterID: String, keyARN: String) throws(KMSError) -> any KeyStore {
        guard let keyStore = state.withLock({ $0.defaultDevices[clusterID] }) else {
            throw unreachable.kmsError(.encrypt, keyARN: keyARN, inCustomKeyStore: false)
        }
        return keyStore
    }

    private var unreachable: KeyStoreError { KeyStoreError(.unavailable, "not logged in yet") }
}

extension KMSError {
    /// The text is not known from AWS.
    static func customKeyStoreState(_ customKeyStoreID: String, _ remedy: String) -> Self {
        .init(
            .customKeyStoreInvalidState,
            "The connection state of custom key store \(customKeyStoreID) does not allow this operation: \(remedy).")
    }
}
