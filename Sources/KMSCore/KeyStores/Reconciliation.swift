import KMSModel
public import KeyStores
import Logging
import Synchronization

/// The generate intents of requests that are running now: not left behind by anybody.
final class IntentsInFlight: Sendable {
    private let ids = Mutex<Set<BackingKeyID>>([])

    func insert(_ id: BackingKeyID) { ids.withLock { _ = $0.insert(id) } }
    func remove(_ id: BackingKeyID) { ids.withLock { _ = $0.remove(id) } }
    func contains(_ id: BackingKeyID) -> Bool { ids.withLock { $0.contains(id) } }
}

/// What a reconciliation of metadata and key store found.
public struct ReconciliationReport: Sendable, Hashable {
    /// Left behind by an interrupted CreateKey or deletion, and destroyed now.
    public var finished: [BackingKeyID] = []
    /// Left behind, and still not destroyed: tried again later.
    public var unfinished: [BackingKeyID] = []
    /// ARNs of KMS keys whose material is not in the key store.
    public var missing: [String] = []
    /// KMS keys whose material the device would give away: somebody has changed the attributes of its object.
    public var exposed: [String] = []
    /// KMS keys whose material is there more than once under one id. None of the objects is used.
    public var duplicated: [String] = []
    /// Objects that are no key of this installation. Never touched.
    public var unknown: [InventoryEntry] = []
    /// The device was exchanged for another one, or restored onto one: its serial number before, and now.
    public var exchanged: Exchange?

    public struct Exchange: Sendable, Hashable {
        public let before: String
        public let now: String
    }
}

extension KeyManagementService {
    /// Compares metadata and key store, finishes what an interruption left behind, and reports the rest.
    func reconcile(_ placement: Placement, in keyStore: any KeyStore) async -> ReconciliationReport {
        var report = ReconciliationReport()
        do {
            // Intents are finished first: their objects are neither missing nor unknown.
            await finishIntents(at: placement, in: keyStore, &report)
            // Requests go on meanwhile: what comes or goes between the two looks is neither missing nor unknown.
            let before = metadata.read { $0.backingKeys(at: placement) }
            if let inventory = try await keyStore.inventory() { compare(inventory, placement, since: before, &report) }
            if case .device(let clusterID) = placement, let serialNumber = keyStore.deviceSerialNumber {
                report.exchanged = try await note(serialNumber, of: clusterID)
            }
        } catch {
            logger.warning("reconciliation failed", metadata: ["error": "\(error)"])
        }
        log(report, placement)
        return report
    }

    /// Reconciles every key store that can be reached now.
    public func reconcile() async {
        let placements = metadata.read { directory in
            Set(directory.keys { _ in true }.map(\.placement) + directory.intents.values.map(\.placement))
        }
        for placement in placements {
            if let keyStore = metadata.read({ self.registry.anyKeyStore(at: placement, in: $0) }) {
                _ = await reconcile(placement, in: keyStore)
            } else {
                logger.warning("a key store cannot be reached", metadata: ["place": "\(placement)"])
            }
        }
    }

    /// Finishes what waits for any key store that can be reached now.
    func finishIntents() async {
        let placements = metadata.read { Set($0.intents.values.map(\.placement)) }
        for placement in placements { await finishIntents(at: placement) }
    }

    /// Finishes what a request has left to be destroyed. What others left waits for housekeeping: no request does the work
    /// of a whole backlog.
    func finishIntents(of key: KMSKey) async {
        let (intents, keyStore) = metadata.read { directory in
            (
                directory.intents.values.filter { $0.placement == key.placement && $0.keyARN == key.arn },
                self.registry.anyKeyStore(at: key.placement, in: directory)
            )
        }
        guard let keyStore else { return }
        var report = ReconciliationReport()
        // Its own are the newest. On a token that is slow, what others left for the same key would keep this caller waiting.
        let newest = intents.sorted { $0.creationDate > $1.creationDate }.prefix(Self.mostIntentsOfOneRequest)
        for intent in newest where isLeftBehind(intent) { await finish(intent, in: keyStore, &report) }
    }

    /// An import leaves its wrapping key, and another one that was handed out for the same key.
    private static let mostIntentsOfOneRequest = 3

    /// Finishes what waits in one place.
    private func finishIntents(at placement: Placement) async {
        let keyStore = metadata.read { self.registry.anyKeyStore(at: placement, in: $0) }
        var report = ReconciliationReport()
        if let keyStore { await finishIntents(at: placement, in: keyStore, &report) }
    }

    /// Undoes a generation that failed. What cannot be destroyed now stays an intent.
    func abandon(_ intent: Intent, in keyStore: any KeyStore) async {
        var report = ReconciliationReport()
        await finish(intent, in: keyStore, &report)
    }

    private func finishIntents(
        at placement: Placement, in keyStore: any KeyStore, _ report: inout ReconciliationReport
    ) async {
        let intents = metadata.read { directory in directory.intents.values.filter { $0.placement == placement } }
        for intent in intents where isLeftBehind(intent) { await finish(intent, in: keyStore, &report) }
    }

    /// Whether nobody is working on an intent and it still stands. In this order: a request commits its key, which takes
    /// the intent away, before it stops being in flight, so that no moment shows a finished one as left behind.
    private func isLeftBehind(_ intent: Intent) -> Bool {
        guard !intentsInFlight.contains(intent.backingKeyID) else { return false }
        return metadata.read { $0.intents[intent.backingKeyID] == intent }
    }

    private func finish(_ intent: Intent, in keyStore: any KeyStore, _ report: inout ReconciliationReport) async {
        let id = intent.backingKeyID
        do {
            if intent.adoptedReference.isEmpty {
                try await keyStore.destroyKey(id)
            } else {
                try await keyStore.destroyAdoptedObject(intent.adoptedReference)
            }
            try await metadata.write { _, changes throws(KMSError) in changes.append(.deleteIntent(id)) }
            report.finished.append(id)
        } catch {
            logger.warning(
                "key material waits to be destroyed",
                metadata: ["backingKey": "\(id)", "key": "\(intent.keyARN)", "error": "\(error)"])
            report.unfinished.append(id)
        }
    }
}
