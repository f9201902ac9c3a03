import KMSModel
public import KeyStores
import Logging

/// What a reconciliation of metadata and key store found.
public struct ReconciliationReport: Sendable, Hashable {
    /// Left behind by an interrupted CreateKey or deletion, and destroyed now.
    public var finished: [BackingKeyID] = []
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
            report.finished = await finishIntents(at: placement, in: keyStore)
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
        tell(report, placement)
        return report
    }

    /// Reconciles every key store that can be reached now.
    public func reconcile() async {
        let placements = metadata.read { directory in
            Set(directory.keys { _ in true }.map(\.placement) + directory.intents.values.map(\.placement))
        }
        for placement in placements where !Task.isCancelled {
            if let keyStore = metadata.read({ self.registry.anyKeyStore(at: placement, in: $0) }) {
                _ = await reconcile(placement, in: keyStore)
            } else {
                logger.warning("a key store cannot be reached", metadata: ["place": "\(placement)"])
            }
        }
    }
}
