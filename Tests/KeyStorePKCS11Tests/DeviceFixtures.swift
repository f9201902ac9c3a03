internal import Conformance
internal import Foundation
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Synchronization

/// One device on a fixture's token, as tests configure it.
struct TestDevice: Sendable {
    static let clusterID = "cluster-abcdefghijk"

    let devices: TokenDevices
    let pin: String
    let refusals = RememberedPINs()
    let events = EventList()

    init(_ configuration: TokenDeviceConfiguration, pin: String) throws {
        self.pin = pin
        var configuration = configuration
        // Hundreds of tests connect at the same time.
        if configuration.profile.connectTimeoutMilliseconds == TokenProfile().connectTimeoutMilliseconds {
            configuration.profile.connectTimeoutMilliseconds = 600_000
        }
        let events = events
        devices = try TokenDevices([configuration]) { events.append($0) }
    }

    /// A token of its own on SoftHSM.
    static func softHSM(_ change: (inout TokenDeviceConfiguration) -> Void = { _ in }) throws -> TestDevice {
        let token = try SoftHSMFixture.shared().takeToken()
        var configuration = TokenDeviceConfiguration(
            clusterID: clusterID, modulePath: SoftHSMFixture.modulePath, token: .label(token.label))
        change(&configuration)
        return try TestDevice(configuration, pin: token.pin)
    }

    /// A token of its own behind the module that injects faults.
    static func faulty(_ change: (inout TokenDeviceConfiguration) -> Void = { _ in }) throws -> TestDevice {
        let module = try FaultyTokenFixture.shared().modulePath
        try FaultyTokenFixture.shared().command()
        return try softHSM { configuration in
            configuration.modulePath = module
            change(&configuration)
        }
    }

    func connect(pin other: String? = nil) async throws -> any KeyStore {
        try await devices.connect(Self.clusterID, password: SecretBytes(Array((other ?? pin).utf8)), refusals: refusals)
    }

    func disconnect() async {
        await devices.disconnect(Self.clusterID)
    }

    /// Connects for the time of `body`.
    func whileConnected<R>(_ body: (any KeyStore) async throws -> R) async throws -> R {
        let store = try await connect()
        do {
            let result = try await body(store)
            await disconnect()
            return result
        } catch {
            await disconnect()
            throw error
        }
    }

    /// Waits until `condition` holds, or fails.
    func wait(for what: String, _ condition: () async throws -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            if try await condition() { return }
            await Task.yield()
            try await Task.sleep(for: .milliseconds(5))
        }
        throw FixtureError("waited in vain for \(what); events: \(events.all)")
    }
}

/// What a device reported.
final class EventList: Sendable {
    private let events = Mutex<[TokenEvent]>([])

    var all: [TokenEvent] { events.withLock { $0 } }

    func append(_ event: TokenEvent) {
        events.withLock { $0.append(event) }
    }

    func contains(_ kind: TokenEvent.Kind) -> Bool { all.contains { $0.kind == kind } }
}

/// The code of the failure of `body`; nil if it did not fail.
func failure(of body: () async throws -> Void) async -> ConnectionFailure? {
    do {
        try await body()
        return nil
    } catch {
        return error as? ConnectionFailure
    }
}

/// The code of the error of `body`; nil if there was none.
func errorCode(of body: () async throws -> Void) async -> KeyStoreError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? KeyStoreError)?.code
    }
}
