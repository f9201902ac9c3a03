import Dispatch
import Foundation
import KMSPolicy
import KMSServer
import Logging
import ServiceLifecycle
import UnixSignals

/// Where the principals of a server come from, at the start and at every SIGHUP.
struct PrincipalsSource: Sendable {
    /// Nil when there is nothing to read again.
    let file: URL?
    /// Blocks: it reads files.
    let load: @Sendable () throws -> LoadedPrincipals

    init(file: URL?, load: @escaping @Sendable () throws -> LoadedPrincipals) {
        self.file = file
        self.load = load
    }

    /// Reads the principals for the first time. From now on SIGHUP does not end the process.
    func open(_ logger: Logger) async throws -> ReloadedPrincipals {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        let loaded = try load()
        loaded.log(warningsTo: logger)
        return ReloadedPrincipals(
            source: self, current: CurrentPrincipals(loaded.principals), signals: signals, logger: logger)
    }
}

/// Reads the principals again at every SIGHUP. A file that cannot be used changes nothing: all of it counts, or none.
struct ReloadedPrincipals: Service {
    fileprivate let source: PrincipalsSource
    let current: CurrentPrincipals
    fileprivate let signals: UnixSignalsSequence
    fileprivate let logger: Logger

    func run() async throws {
        for await _ in signals.cancelOnGracefulShutdown() {
            guard let file = source.file else {
                logger.notice("SIGHUP: there is no principals file to read again")
                continue
            }
            do {
                let loaded = try await load()
                current.replace(with: loaded.principals)
                loaded.log(warningsTo: logger)
                logger.notice(
                    "the principals file was read again",
                    metadata: [
                        "file": "\(file.path)", "accounts": "\(loaded.accountCount)",
                        "users": "\(loaded.directory.allUsers.count)", "roles": "\(loaded.directory.allRoles.count)",
                        "accessKeys": "\(loaded.accessKeys.count)",
                    ])
            } catch {
                logger.error(
                    "the principals file was refused; everything stays as it was", metadata: ["reason": "\(error)"])
            }
        }
    }

    /// On a thread that may block.
    private func load() async throws -> LoadedPrincipals {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try source.load() }) }
        }
    }
}

extension LoadedPrincipals {
    fileprivate func log(warningsTo logger: Logger) {
        for warning in warnings { logger.warning("\(warning)") }
    }
}
