import KMSModel
import KeyStores
import Logging
import Synchronization

/// The generate intents of requests that are running now: not left behind by anybody.
final class IntentsInFlight: Sendable {
    private let ids = Mutex<Set<BackingKeyID>>([])

    func insert(_ id: BackingKeyID) { ids.withLock { _ = $0.insert(id) } }
    func remove(_ id: BackingKeyID) { ids.withLock { _ = $0.remove(id) } }
    func contains(_ id: BackingKeyID) -> Bool { ids.withLock { $0.contains(id) } }
}

// What an interruption left behind is destroyed, by the request that was interrupted, by housekeeping, or at a connect.
extension KeyManagementService {
    /// Finishes what waits for any key store that can be reached now.
    func finishIntents() async {
        let placements = metadata.read { Set($0.intents.values.map(\.placement)) }
        for placement in placements {
            if let keyStore = metadata.read({ self.registry.anyKeyStore(at: placement, in: $0) }) {
                _ = await finishIntents(at: placement, in: keyStore)
            }
        }
    }

    /// - Returns: what is destroyed now.
    func finishIntents(at placement: Placement, in keyStore: any KeyStore) async -> [BackingKeyID] {
        await finish(metadata.read { $0.intents.values.filter { $0.placement == placement } }, in: keyStore)
    }

    /// Finishes what a request has left to be destroyed. What others left waits for housekeeping: no request does the
    /// work of a whole backlog.
    func finishIntents(of key: KMSKey) async {
        let (intents, keyStore) = metadata.read { directory in
            (
                directory.intents.values.filter { $0.placement == key.placement && $0.keyARN == key.arn },
                self.registry.anyKeyStore(at: key.placement, in: directory)
            )
        }
        guard let keyStore else { return }
        // Its own are the newest. On a token that is slow, what others left for the same key would keep this caller
        // waiting.
        let newest = intents.sorted { $0.creationDate > $1.creationDate }.prefix(Self.mostIntentsOfOneRequest)
        _ = await finish(Array(newest), in: keyStore)
    }

    /// An import leaves its wrapping key, and another one that was handed out for the same key.
    private static let mostIntentsOfOneRequest = 3

    /// Undoes a generation that failed. What cannot be destroyed now stays an intent.
    func abandon(_ intent: Intent, in keyStore: any KeyStore) async {
        await tryToFinish([intent], in: keyStore) { _ in true }
    }

    private func finish(_ intents: [Intent], in keyStore: any KeyStore) async -> [BackingKeyID] {
        await tryToFinish(intents, in: keyStore, if: isLeftBehind)
    }

    /// Finishes intents one after the other. Ends between two of them when the server stops, and when the reason why
    /// one cannot be finished holds for the others too: a token that is away is not asked a thousand times.
    @discardableResult
    private func tryToFinish(
        _ intents: [Intent], in keyStore: any KeyStore, if isDue: (Intent) -> Bool
    ) async -> [BackingKeyID] {
        var finished: [BackingKeyID] = []
        for (index, intent) in intents.enumerated() where isDue(intent) {
            if index > 0, Task.isCancelled { break }
            do {
                if try await finish(intent, in: keyStore) { finished.append(intent.backingKeyID) }
            } catch {
                var details: Logger.Metadata = [
                    "backingKey": "\(intent.backingKeyID)", "key": "\(intent.keyARN)", "error": "\(error)",
                ]
                let concernsAll = Self.concernsAll(error)
                if concernsAll, intents.count > index + 1 { details["others"] = "\(intents.count - index - 1)" }
                logger.warning("key material waits to be destroyed", metadata: details)
                if concernsAll { break }
            }
        }
        return finished
    }

    /// Whether an error is one of the key store or of the database, and not of one key.
    private static func concernsAll(_ error: any Error) -> Bool {
        guard let error = error as? KeyStoreError else { return true }
        return switch error.code {
        case .unavailable, .overloaded, .timedOut: true
        case .keyNotFound, .unsupportedAlgorithm, .invalidCiphertext, .incorrectMaterial, .notAdoptable, .full,
            .internalFailure:
            false
        }
    }

    /// Whether nobody is working on an intent and it still stands. In this order: a request commits its key, which
    /// takes the intent away, before it stops being in flight, so that no moment shows a finished one as left behind.
    private func isLeftBehind(_ intent: Intent) -> Bool {
        guard !intentsInFlight.contains(intent.backingKeyID) else { return false }
        return metadata.read { $0.intents[intent.backingKeyID] == intent }
    }

    /// - Returns: false when somebody else has finished it meanwhile: two key stores on one token connect at the same
    ///   time.
    private func finish(_ intent: Intent, in keyStore: any KeyStore) async throws -> Bool {
        let id = intent.backingKeyID
        switch intent.kind {
        case .generate: try await keyStore.discardKey(id)
        case .destroy where intent.adoptedReference.isEmpty: try await keyStore.destroyKey(id)
        case .destroy: try await keyStore.destroyAdoptedObject(intent.adoptedReference)
        }
        return try await metadata.write { directory, changes throws(KMSError) in
            guard directory.intents[id] == intent else { return false }
            changes.append(.deleteIntent(id))
            return true
        }
    }
}
