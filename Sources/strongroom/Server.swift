import Foundation
import Glibc
import KMSCore
import KMSServer
import KMSStorage
import KeyStorePKCS11
import KeyStoreSoftware
import Logging
import ServiceLifecycle
import Synchronization
import UnixSignals

/// Everything that makes a running server of the parts: the one place that knows every implementation.
struct Server {
    var dataDirectory: URL
    var listen: HTTPService.Configuration
    var readyFile: URL?
    var principals: PrincipalsSource
    var devices: [TokenDeviceConfiguration]
    var defaultPlacement: Placement
    var compatibility: Compatibility
    var quotas: Quotas
    var audit: AuditSetting
    var logLevel: Logger.Level
    /// Keys that the server has from its start.
    var seed: [SeedFile.Entry] = []
    /// What `strongroom dev` adds; nil in `strongroom serve`.
    var development: Development?

    /// The parts of `strongroom dev` that need the running service.
    struct Development: Sendable {
        /// Makes what a development server starts with; runs after start and after every reset.
        var provision: @Sendable (KeyManagementService) async throws -> Provisioned
        /// Runs once the server is ready.
        var announce: @Sendable (_ endpoint: String, Provisioned) -> Void
    }

    struct Provisioned: Sendable {
        var customKeyStoreID: String?
    }

    /// - Returns: whether every call into a token's module has come back: the process may end as processes do.
    func run() async throws -> Bool {
        ProcessProtection.forbidCoreDumps()
        let logger = makeLogger()
        let principals = try await principals.open(logger)
        let reconciliationSignals = await UnixSignalsSequence(trapping: .sigusr1)

        try PrivateFile.makeDirectory(dataDirectory)
        let lock = try DataDirectoryLock(directory: dataDirectory.path)
        let auditLog = try audit.open(in: dataDirectory, logger)
        let rootKey = try openRootKey()
        let tokenDevices = try TokenDevices(devices) { [logger] in $0.log(to: logger) }
        let service = try await KeyManagementService(
            configuration: .init(defaultPlacement: defaultPlacement, compatibility: compatibility, quotas: quotas),
            store: SQLiteMetadataStore(path: database.path),
            sealing: rootKey,
            softwareKeyStore: SoftwareKeyStore(rootKey: rootKey),
            devices: tokenDevices,
            principals: { principals.current.value.directory },
            logger: logger,
            serviceEvents: { event in auditLog?.record(event) })
        await service.connectAtStart()

        let controls = development.map { development in
            TestControls { [seed] in
                _ = try await development.provision(service)
                try await service.apply(seed)
            }
        }
        let start = Start()
        let handler = RequestHandler(
            service: service, principals: principals.current, testControls: controls, audit: auditLog, logger: logger)
        let http = HTTPService(configuration: listen, handler: handler, logger: logger) { port in
            do { try await becomeReady(port: port, service, logger) } catch {
                start.failure.withLock { $0 = error }
                kill(getpid(), SIGTERM)
            }
        }
        defer { withExtendedLifetime(lock) {} }
        let admin = await makeAdminService(service, logger)
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    principals, BackgroundService(service: service), HousekeepingService(service: service),
                    LastUseService(service: service),
                    ReconciliationService(service: service, signals: reconciliationSignals),
                ] + admin + [http],
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logger))
        try await group.run()
        await service.storeLastUses()
        auditLog?.close()
        let isDeserted = await tokenDevices.shutDown()
        if let failure = start.failure.withLock({ $0 }) { throw failure }
        if !isDeserted { logger.warning("a call to a token has not come back; leaving without it") }
        return isDeserted
    }

    /// One service, or none: a server without its admin socket serves all the same.
    private func makeAdminService(_ service: KeyManagementService, _ logger: Logger) async -> [any Service] {
        do {
            let desk = AdminDesk(service: service)
            return [
                try await AdminService(directory: dataDirectory.path, logger: logger) { await desk.answer($0) }
            ]
        } catch {
            logger.warning("`strongroom adopt` and `strongroom keys` cannot be used", metadata: ["reason": "\(error)"])
            return []
        }
    }

    private func makeLogger() -> Logger {
        var logger = Logger(label: "strongroom") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = logLevel
        return logger
    }

    private var database: URL { dataDirectory.appendingPathComponent(SQLiteMetadataStore.fileName) }

    /// A root key is made for an empty installation only: beside a database it would open nothing, and hide that the
    /// real one is missing.
    private func openRootKey() throws -> RootKey {
        let path = dataDirectory.appendingPathComponent("root.key").path
        if FileManager.default.fileExists(atPath: database.path) { return try RootKey.open(at: path) }
        return try RootKey.openOrCreate(at: path)
    }

    private func becomeReady(port: Int, _ service: KeyManagementService, _ logger: Logger) async throws {
        let endpoint = "http://\(listen.host.contains(":") ? "[\(listen.host)]" : listen.host):\(port)"
        let provisioned = try await development?.provision(service) ?? Provisioned()
        try await service.apply(seed)
        development?.announce(endpoint, provisioned)
        if let readyFile {
            let content = ReadyFile(
                endpoint: endpoint, pid: getpid(), customKeyStoreId: provisioned.customKeyStoreID)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            try PrivateFile.replace(readyFile, String(decoding: encoder.encode(content), as: UTF8.self) + "\n")
        }
        logger.notice("ready", metadata: ["endpoint": "\(endpoint)"])
    }

    /// Written when the server is ready, so that a test can wait for it and find the port that was chosen.
    private struct ReadyFile: Encodable {
        var endpoint: String
        var pid: Int32
        var customKeyStoreId: String?
    }
}

/// Why the server did not become ready, if it did not.
private final class Start: Sendable {
    let failure = Mutex<(any Error)?>(nil)
}

private struct BackgroundService: Service {
    let service: KeyManagementService

    func run() async throws {
        await withGracefulShutdownHandler {
            await service.backgroundWork.run()
        } onGracefulShutdown: {
            service.backgroundWork.stop()
        }
    }
}

private struct HousekeepingService: Service {
    let service: KeyManagementService

    func run() async throws { await cancelWhenGracefulShutdown { await service.runHousekeeping() } }
}

private struct LastUseService: Service {
    let service: KeyManagementService

    func run() async throws { await cancelWhenGracefulShutdown { await service.runStoringLastUses() } }
}
