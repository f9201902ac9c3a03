import KMSModel
import KeyStores

// What the materials of a key say about it, and how they change. Pure.
extension KMSKey {
    /// The material that encrypts.
    ///
    /// Errors: KMSInvalidStateException for a key whose material is not there, which the state of the key tells first.
    var currentMaterial: KeyMaterial {
        get throws(KMSError) {
            guard let current, current.isPresent else { throw .invalidState(arn, "is pending import") }
            return current
        }
    }

    /// The current material, there or not. Nil only before the first import.
    var current: KeyMaterial? { materials.last { $0.state == .current } }

    /// Imported material that waits for its rotation.
    var pending: KeyMaterial? {
        materials.last { $0.state == .pendingRotation || $0.state == .pendingMultiRegionImportAndRotation }
    }

    /// CurrentKeyMaterialId and the like: of symmetric keys, but not of Origin AWS_CLOUDHSM (KMS API: KeyMetadata).
    var showsMaterialIDs: Bool { keySpec == .symmetricDefault && origin != .awsCloudhsm }

    /// Whether the key waits for an import: nothing was imported yet, or material that belongs to it for good is gone
    /// or has expired (KMS Developer Guide, "Key states").
    func isMissingMaterial(at time: Timestamp) -> Bool {
        origin == .external
            && (materials.isEmpty
                || materials.contains { $0.isPermanentlyAssociated && !$0.isUsable(at: time) })
    }

    /// The key as it is at `time`: imported material whose date has come is gone, even while it waits to be destroyed.
    func withoutExpiredMaterial(at time: Timestamp) -> KMSKey {
        var key = self
        for material in materials where material.isPresent && !material.isUsable(at: time) {
            if material.isPermanentlyAssociated || isReplica {
                key.loseImportedMaterial(material.materialID)
            } else {
                key.materials.removeAll { $0.materialID == material.materialID }
            }
        }
        return key
    }

    /// Whether its material is an object that somebody else made.
    var isAdopted: Bool { materials.contains { $0.adoption != nil } }

    /// Makes `material` the current one; the old one goes on decrypting.
    mutating func rotate(to material: KeyMaterial, _ rotation: KeyMaterial.Rotation) {
        for index in materials.indices where materials[index].state == .current { materials[index].state = .nonCurrent }
        var material = material
        material.state = .current
        material.rotation = rotation
        if let index = materials.firstIndex(where: { $0.materialID == material.materialID }) {
            materials[index] = material
        } else {
            materials.append(material)
        }
    }

    /// Records that imported material has left its key store, and stays known.
    mutating func loseImportedMaterial(_ materialID: [UInt8]) {
        guard let index = materials.firstIndex(where: { $0.materialID == materialID && $0.importDetails != nil }) else {
            return
        }
        materials[index].importDetails?.state = .pendingImport
        materials[index].importDetails?.validTo = nil
        let gone = materials[index].backingKey
        materials[index].backingKey = BackingKey(
            id: gone.id, keySpec: gone.keySpec, kmsKeyID: gone.kmsKeyID, reference: [], publicKey: gone.publicKey)
    }
}

extension KeyMaterial {
    /// As the API writes it: 64 lower-case hexadecimal digits.
    var materialIDText: Text { Text(materialID.lowercaseHexadecimal) }

    /// ExpirationModel, of imported material that is there.
    var expirationModel: ExpirationModelType? {
        guard let importDetails, importDetails.state == .imported else { return nil }
        return importDetails.validTo == nil ? .keyMaterialDoesNotExpire : .keyMaterialExpires
    }
}

extension Intent {
    /// A tombstone for a material, or for a wrapping key.
    static func destruction(
        of id: BackingKeyID, at placement: Placement, keyARN: String, _ now: Timestamp, adoptedReference: [UInt8] = []
    ) -> MetadataChange {
        .putIntent(
            Intent(
                kind: .destroy, backingKeyID: id, placement: placement, keyARN: keyARN, creationDate: now,
                adoptedReference: adoptedReference))
    }
}
