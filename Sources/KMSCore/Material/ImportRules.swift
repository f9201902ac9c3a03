package import KMSModel

/// What becomes of material that was unwrapped and looked at, decided by its KeyMaterialId alone.
///
/// Source: KMS API, ImportKeyMaterial (ImportType, KeyMaterialId); KMS Developer Guide, "Importing key material". Pure.
package enum ImportRules {
    package enum Verdict: Hashable, Sendable {
        /// The first material of the key becomes current.
        case first
        /// New material waits for RotateKeyOnDemand.
        case pendingRotation
        /// The same bytes as the material at this index of `KMSKey.materials`.
        case again(Int)
    }

    /// The parameters of the request that the verdict depends on.
    package struct Request: Sendable {
        package let importType: ImportType?
        /// In lower case.
        package let keyMaterialID: String?
        package let description: Text?

        package init(importType: ImportType?, keyMaterialID: String?, description: Text?) {
            self.importType = importType
            self.keyMaterialID = keyMaterialID
            self.description = description
        }
    }

    /// What can be refused before anything is unwrapped. The codes are not known from AWS.
    package static func check(_ request: Request, for key: KMSKey) throws(KMSError) {
        guard key.keySpec == .symmetricDefault else {
            if request.importType != nil || request.keyMaterialID != nil || request.description != nil {
                throw .validation(
                    "ImportType, KeyMaterialId and KeyMaterialDescription are valid only for symmetric encryption KMS "
                        + "keys; \(key.arn) is \(key.keySpec.rawValue).")
            }
            return
        }
        if type(of: request, for: key) == .newKeyMaterial, request.keyMaterialID != nil {
            throw .validation("KeyMaterialId is valid only when ImportType is EXISTING_KEY_MATERIAL.")
        }
    }

    /// Errors: IncorrectKeyMaterialException; KMSInvalidStateException when other material waits already.
    package static func verdict(
        on materialID: [UInt8], _ request: Request, for key: KMSKey
    ) throws(KMSError) -> Verdict {
        let known = key.materials.firstIndex { $0.materialID == materialID }
        guard key.keySpec == .symmetricDefault else {
            if key.materials.isEmpty { return .first }
            guard let known else { throw .otherKeyMaterial(key) }
            return .again(known)
        }
        switch type(of: request, for: key) {
        case .newKeyMaterial:
            guard known == nil else { throw .knownKeyMaterial(key) }
            // KMS Developer Guide, "Multi-Region keys with imported key material".
            guard !key.isReplica else { throw .newToReplica(key) }
            guard let other = key.pending else { return key.materials.isEmpty ? .first : .pendingRotation }
            throw .kmsInvalidState(
                "New key material (id: \(materialID.lowercaseHexadecimal)) cannot be imported into KMS key \(key.arn), "
                    + "because another key material (id: \(other.materialID.lowercaseHexadecimal)) is pending rotation."
            )
        case .existingKeyMaterial:
            guard let known else { throw .otherKeyMaterial(key) }
            if let wanted = request.keyMaterialID, wanted != materialID.lowercaseHexadecimal {
                throw .otherKeyMaterial(key)
            }
            return .again(known)
        }
    }

    /// KMS API, ImportType: the first import is of new material, every later one of existing material, unless the
    /// request says otherwise.
    private static func type(of request: Request, for key: KMSKey) -> ImportType {
        request.importType ?? (key.materials.isEmpty ? .newKeyMaterial : .existingKeyMaterial)
    }
}

extension KMSError {
    // The texts are not known from AWS.

    fileprivate static func otherKeyMaterial(_ key: KMSKey) -> KMSError {
        .init(
            .incorrectKeyMaterial,
            "The key material is not the one that was imported into \(key.arn) before.")
    }
    fileprivate static func newToReplica(_ key: KMSKey) -> KMSError {
        .init(
            .incorrectKeyMaterial,
            "\(key.arn) is a multi-Region replica key. Import new key material into its primary key first, and then the "
                + "same material here with ImportType EXISTING_KEY_MATERIAL.")
    }
    fileprivate static func knownKeyMaterial(_ key: KMSKey) -> KMSError {
        .init(
            .incorrectKeyMaterial,
            "The key material is already associated with \(key.arn). Import it with ImportType EXISTING_KEY_MATERIAL.")
    }
}
