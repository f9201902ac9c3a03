public import KMSModel
import KeyStores

/// The KMS keys of an installation beside the objects that hold their material, read from the devices now: for audits.
public struct KeyListing: Sendable, Codable {
    public struct Object: Sendable, Codable {
        /// CKA_ID in hexadecimal digits; empty where the object has none.
        public var id: String
        public var label: String
        public var objectClass: String
        public var keyType: String?
        public var sizeInBits: Int?
        /// By the names of the standard, those that the device tells.
        public var attributes: [String: Bool]
    }

    /// One version of the material of a KMS key. A key that waits for its import has one row without material.
    public struct Row: Sendable, Codable {
        public var arn: String
        public var aliases: [String]
        public var keyState: String
        public var keySpec: String
        public var keyUsage: String
        public var origin: String
        /// `software`, or the clusterId of the device.
        public var keyStore: String
        public var customKeyStoreID: String?
        public var keyMaterialID: String?
        public var keyMaterialState: String?
        /// Of an adopted object: what becomes of it with the key, `leave` or `destroy`.
        public var onDeletion: String?
        /// The object on the device; several when nobody can tell which is meant. Empty for keys in software.
        public var objects: [Object]
        /// What is wrong, in a sentence.
        public var problem: String?
    }

    /// An object that is the material of no KMS key.
    public struct Other: Sendable, Codable {
        public var keyStore: String
        public var object: Object
        /// Whether this installation made it.
        public var isOurs: Bool
        /// What it is, as far as that is known.
        public var remark: String
    }

    public var rows: [Row] = []
    public var others: [Other] = []
    /// Devices that could not be looked at, with the reason.
    public var unreachable: [String: String] = [:]
}

extension KeyManagementService {
    /// - Parameter keyStore: `default`, `software`, a clusterId, or the name or id of a custom key store; nil lists
    ///   all.
    /// Errors: CustomKeyStoreNotFoundException, KMSInternalException.
    public func listKeyMaterial(of keyStore: String? = nil) async throws(KMSError) -> KeyListing {
        let (rows, placements) = try metadata.read { directory throws(KMSError) in
            let known = self.placements(in: directory)
            let placements = try keyStore.map { name throws(KMSError) in
                try self.placements(named: name, among: known, in: directory)
            }
            let keys = directory.keys { placements?.contains($0.placement) ?? true }
            return (keys.sorted { $0.arn < $1.arn }, placements ?? known)
        }
        var listing = KeyListing()
        var objects: [Placement: [StoredObject]] = [:]
        for case .device(let clusterID) in placements {
            let placement = Placement.device(clusterID: clusterID)
            do {
                objects[placement] = try await self.objects(at: placement)
            } catch {
                listing.unreachable[clusterID] = error.reason
            }
        }
        metadata.read { directory in
            for key in rows { listing.rows += self.rows(of: key, objects, in: directory) }
            for (placement, objects) in objects { listing.others += Self.others(objects, at: placement, in: directory) }
        }
        listing.others.sort {
            ($0.keyStore, $0.object.label, $0.object.id) < ($1.keyStore, $1.object.label, $1.object.id)
        }
        return listing
    }

    private func objects(at placement: Placement) async throws(KeyStoreError) -> [StoredObject] {
        guard let keyStore = metadata.read({ registry.anyKeyStore(at: placement, in: $0) }) else {
            throw KeyStoreError(.unavailable, "it is not connected")
        }
        return try await keyStore.objects() ?? []
    }

    // MARK: Places

    private func placements(in directory: borrowing Directory) -> Set<Placement> {
        var placements = Set(directory.keys { _ in true }.map(\.placement))
        placements.insert(configuration.defaultPlacement)
        for keyStore in directory.customKeyStores.values { placements.insert(.device(clusterID: keyStore.clusterID)) }
        return placements
    }

    private func placements(
        named name: String, among known: Set<Placement>, in directory: borrowing Directory
    ) throws(KMSError) -> Set<Placement> {
        if name == Self.defaultKeyStoreName { return [configuration.defaultPlacement] }
        if name == Placement.software.name { return [.software] }
        var found = known.filter { $0.name == name }
        for keyStore in directory.customKeyStores.values where keyStore.answers(to: name) {
            found.insert(.device(clusterID: keyStore.clusterID))
        }
        guard !found.isEmpty else { throw .customKeyStoreNotFound(name) }
        return found
    }

    // MARK: Rows

    private func rows(
        of key: KMSKey, _ objects: [Placement: [StoredObject]], in directory: borrowing Directory
    ) -> [KeyListing.Row] {
        var row = KeyListing.Row(
            arn: key.arn, aliases: directory.aliasNames(of: key.id, in: key.scope).all,
            keyState: state(of: key).rawValue, keySpec: key.keySpec.rawValue,
            keyUsage: key.keyUsage.rawValue, origin: key.origin.rawValue, keyStore: key.placement.name,
            customKeyStoreID: key.customKeyStoreID, objects: [])
        let present = key.materials.filter(\.isPresent)
        guard !present.isEmpty else { return [row] }
        return present.map { material in
            row.keyMaterialID = material.materialIDText.string
            row.keyMaterialState = material.state.rawValue
            row.onDeletion = material.adoption?.rawValue
            row.objects = []
            row.problem = nil
            if case .device = material.placement {
                guard let there = objects[material.placement] else {
                    row.problem = "the device could not be looked at"
                    return row
                }
                let own = there.filter { $0.isMaterial(material) }
                row.objects = own.map { KeyListing.Object($0) }
                row.problem = Self.problem(own)
            }
            return row
        }
    }

    private static func problem(_ objects: [StoredObject]) -> String? {
        if objects.isEmpty { return "the device does not hold it" }
        if objects.count > 1 { return "several objects could be it; none is used" }
        return objects[0].entry?.isExposed == true ? "the device would give it away" : nil
    }

    private static func others(
        _ objects: [StoredObject], at placement: Placement, in directory: borrowing Directory
    ) -> [KeyListing.Other] {
        let materials = directory.keys { $0.placement == placement }.flatMap(\.materials).filter(\.isPresent)
        let own = Set(materials.filter { $0.adoption == nil }.map(\.backingKey.id))
        let adopted = Set(materials.filter { $0.adoption != nil }.map(\.backingKey.reference))
        return objects.compactMap { object in
            let id = object.entry?.id
            guard id.map({ !own.contains($0) }) ?? true,
                object.entry.map({ $0.reference.isEmpty || !adopted.contains($0.reference) }) ?? true
            else { return nil }
            var other = KeyListing.Other(
                keyStore: placement.name, object: KeyListing.Object(object), isOurs: true, remark: "")
            if object.isCanary {
                other.remark = "the server watches over the token by it"
            } else if let id, directory.importParameters[id] != nil {
                other.remark = "unwraps key material that is to be imported"
            } else if let id, directory.intents[id] != nil {
                other.remark = "is being made, or waits to be destroyed"
            } else if let reference = object.entry?.reference, !reference.isEmpty,
                directory.intents.values.contains(where: { $0.adoptedReference == reference })
            {
                other.remark = "was adopted with a KMS key that is gone, and waits to be destroyed"
            } else {
                other.isOurs = false
                other.remark = "no key of this installation"
            }
            return other
        }
    }
}

extension StoredObject {
    fileprivate func isMaterial(_ material: KeyMaterial) -> Bool {
        guard let entry else { return false }
        return material.adoption == nil
            ? entry.id == material.backingKey.id : entry.reference == material.backingKey.reference
    }
}

extension KeyListing.Object {
    fileprivate init(_ object: StoredObject) {
        self.init(
            id: object.id.lowercaseHexadecimal, label: object.label, objectClass: object.objectClass,
            keyType: object.keyType, sizeInBits: object.sizeInBits, attributes: object.flags)
    }
}

extension Placement {
    /// As people and configuration files name it.
    fileprivate var name: String {
        switch self {
        case .software: "software"
        case .device(let clusterID): clusterID
        }
    }
}
