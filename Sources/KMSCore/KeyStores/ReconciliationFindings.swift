import Foundation
import KMSModel
import KeyStores
import Logging

// What a reconciliation finds that nobody here has done: reported, never repaired unasked.
extension KeyManagementService {
    /// - Parameter before: the backing keys that were known before the inventory was made.
    func compare(
        _ inventory: [InventoryEntry], _ placement: Placement, since before: Set<BackingKeyID>,
        _ report: inout ReconciliationReport
    ) {
        let entries = Dictionary(grouping: inventory, by: \.id)
        let byReference = Dictionary(grouping: inventory, by: \.reference)
        let now = clock.now
        var known = before
        var adopted: Set<[UInt8]> = []
        var events: [ServiceEvent] = []
        metadata.read { directory in
            known.formUnion(directory.backingKeys(at: placement))
            for intent in directory.intents.values where !intent.adoptedReference.isEmpty {
                adopted.insert(intent.adoptedReference)
            }
            for key in directory.keys(where: { _ in true }) {
                for material in key.materials where material.placement == placement && material.isPresent {
                    let reference = material.backingKey.reference
                    if material.adoption != nil { adopted.insert(reference) }
                    let objects =
                        material.adoption == nil ? entries[material.backingKey.id] ?? [] : byReference[reference] ?? []
                    let id = material.materialIDText
                    if objects.isEmpty, before.contains(material.backingKey.id) {
                        report.missing.append(key.arn)
                        events.append(ServiceEvent(.foundMaterialMissing(id), key, now))
                    }
                    if objects.count > 1 {
                        report.duplicated.append(key.arn)
                        events.append(ServiceEvent(.foundMaterialDuplicated(id), key, now))
                    }
                    if objects.contains(where: \.isExposed) {
                        report.exposed.append(key.arn)
                        events.append(ServiceEvent(.foundMaterialExposed(id), key, now))
                    }
                }
            }
        }
        report.unknown = inventory.filter { entry in
            !adopted.contains(entry.reference) && entry.id.map { !known.contains($0) } ?? true
        }
        for event in events { serviceEvents(event) }
    }

    /// Remembers which device holds the keys, and tells when it was another one before.
    func note(_ serialNumber: String, of clusterID: String) async throws(KMSError) -> ReconciliationReport.Exchange? {
        try await metadata.write { directory, changes throws(KMSError) in
            let stored = directory.settings[.deviceSerialNumbers].map { Data($0) } ?? Data("{}".utf8)
            var known = (try? JSONDecoder().decode([String: String].self, from: stored)) ?? [:]
            let before = known.updateValue(serialNumber, forKey: clusterID)
            guard before != serialNumber else { return nil }
            guard let encoded = try? JSONEncoder().encode(known) else { throw .internalError }
            changes.append(.putSetting(.deviceSerialNumbers, Array(encoded)))
            return before.map { ReconciliationReport.Exchange(before: $0, now: serialNumber) }
        }
    }

    /// What is said of a whole key store, for the audit log.
    func tell(_ report: ReconciliationReport, _ placement: Placement) {
        var kinds: [ServiceEvent.Kind] = []
        if !report.finished.isEmpty { kinds.append(.destroyedLeftovers(report.finished.map { "\($0)" })) }
        if let exchange = report.exchanged {
            kinds.append(.foundOtherDevice(before: exchange.before, now: exchange.now))
        }
        if !report.unknown.isEmpty {
            let objects = report.unknown.map { ServiceEvent.Object(id: $0.id.map { "\($0)" }, label: $0.label) }
            kinds.append(.foundUnknownObjects(objects))
        }
        for kind in kinds { serviceEvents(ServiceEvent(kind, placement, clock.now)) }
    }

    func log(_ report: ReconciliationReport, _ placement: Placement) {
        let place: Logger.MetadataValue = "\(placement)"
        for id in report.finished {
            logger.notice(
                "finished what an interruption left behind", metadata: ["place": place, "backingKey": "\(id)"])
        }
        if let exchange = report.exchanged {
            logger.warning(
                "the key store is on another device than before: a restored or an exchanged one",
                metadata: [
                    "place": place, "serialNumberBefore": "\(exchange.before)", "serialNumber": "\(exchange.now)",
                ])
        }
        for (message, keys) in [
            ("the material of a KMS key is missing", report.missing),
            ("several objects have the id of a KMS key's material; none is used", report.duplicated),
            ("the device would give the material of a KMS key away: its object was changed", report.exposed),
        ] {
            for arn in keys { logger.error("\(message)", metadata: ["place": place, "key": "\(arn)"]) }
        }
        for entry in report.unknown {
            logger.notice(
                "the key store holds an object that is no key of this installation",
                metadata: [
                    "place": place, "id": "\(entry.id.map(String.init(describing:)) ?? "none")",
                    "label": "\(entry.label)",
                ])
        }
    }
}

extension Directory {
    /// Everything that may be in a key store by our doing.
    func backingKeys(at placement: Placement) -> Set<BackingKeyID> {
        var ids = Set(intents.keys).union(importParameters.keys)
        for key in keys(where: { _ in true }) {
            for material in key.materials where material.placement == placement && material.isPresent {
                ids.insert(material.backingKey.id)
            }
        }
        return ids
    }
}
