internal import Foundation
internal import GRDB
internal import KMSCore
internal import KMSModel
internal import KeyStores

/// The materials of KMS keys, oldest first: position 0 was the first.
enum KeyMaterialRows {
    static func put(_ materials: [KeyMaterial], of key: KeyName, into database: Database) throws {
        for (position, material) in materials.enumerated() {
            try database.run(upsert, key.columns + ["position": position] + material.columns)
        }
        try database.run(deleteFrom, key.columns + ["position": materials.count])
    }

    static func all(in database: Database) throws -> [KeyName: [KeyMaterial]] {
        var materials: [KeyName: [KeyMaterial]] = [:]
        try database.forEachRow(of: "key_materials", select) { row in
            let key = KeyName(scope: try row.scope(), id: try row.string("key_id"))
            materials[key, default: []].append(try KeyMaterial(row))
        }
        return materials
    }

    private static let select = """
        SELECT account_id, region, key_id, position, backing_key_id, backing_key_spec, backing_kms_key_id, reference,
            placement, cluster_id, material_id, creation_date, public_key, state, rotation_date, rotation_type,
            import_state, CAST(import_description AS BLOB) AS import_description, valid_to, adoption
        FROM key_materials ORDER BY account_id, region, key_id, position
        """

    private static let deleteFrom = """
        DELETE FROM key_materials
        WHERE account_id = :account_id AND region = :region AND key_id = :key_id AND position >= :position
        """

    /// Leaves a row that is the same already as it is.
    private static let upsert = """
        INSERT INTO key_materials (account_id, region, key_id, position, backing_key_id, backing_key_spec,
            backing_kms_key_id, reference, placement, cluster_id, material_id, creation_date, public_key, state,
            rotation_date, rotation_type, import_state, import_description, valid_to, adoption)
        VALUES (:account_id, :region, :key_id, :position, :backing_key_id, :backing_key_spec,
            :backing_kms_key_id, :reference, :placement, :cluster_id, :material_id, :creation_date, :public_key, :state,
            :rotation_date, :rotation_type, :import_state, CAST(:import_description AS TEXT), :valid_to,
            :adoption)
        ON CONFLICT (account_id, region, key_id, position) DO UPDATE SET
            (backing_key_id, backing_key_spec, backing_kms_key_id, reference, placement, cluster_id, material_id,
                creation_date, public_key, state, rotation_date, rotation_type, import_state, import_description,
                valid_to, adoption)
            = (excluded.backing_key_id, excluded.backing_key_spec, excluded.backing_kms_key_id, excluded.reference,
                excluded.placement, excluded.cluster_id, excluded.material_id, excluded.creation_date,
                excluded.public_key, excluded.state, excluded.rotation_date, excluded.rotation_type,
                excluded.import_state, excluded.import_description, excluded.valid_to, excluded.adoption)
        WHERE (backing_key_id, backing_key_spec, backing_kms_key_id, reference, placement, cluster_id, material_id,
                creation_date, public_key, state, rotation_date, rotation_type, import_state, import_description,
                valid_to, adoption)
            IS NOT (excluded.backing_key_id, excluded.backing_key_spec, excluded.backing_kms_key_id,
                excluded.reference, excluded.placement, excluded.cluster_id, excluded.material_id,
                excluded.creation_date, excluded.public_key, excluded.state, excluded.rotation_date,
                excluded.rotation_type, excluded.import_state, excluded.import_description, excluded.valid_to,
                excluded.adoption)
        """
}

extension KeyMaterial {
    fileprivate init(_ row: StoredRow) throws(MetadataStoreError) {
        self.init(
            backingKey: BackingKey(
                id: try row.backingKeyID("backing_key_id"),
                keySpec: try row.name("backing_key_spec"),
                kmsKeyID: try row.string("backing_kms_key_id"),
                reference: try row.bytes("reference"),
                publicKey: try row.optionalBytes("public_key")
            ),
            placement: try row.placement(),
            materialID: try row.bytes("material_id"),
            creationDate: try row.timestamp("creation_date"),
            state: try row.name("state"),
            rotation: try row.optionalTimestamp("rotation_date").map { date throws(MetadataStoreError) in
                Rotation(date: date, type: try row.name("rotation_type"))
            },
            importDetails: try row.optionalName("import_state").map { state throws(MetadataStoreError) in
                ImportDetails(
                    state: state, description: try row.optionalText("import_description"),
                    validTo: try row.optionalTimestamp("valid_to"))
            },
            adoption: try row.optionalName("adoption")
        )
    }

    fileprivate var columns: Columns {
        placement.columns + [
            "backing_key_id": backingKey.id.data,
            "backing_key_spec": backingKey.keySpec.rawValue,
            "backing_kms_key_id": backingKey.kmsKeyID,
            "reference": Data(backingKey.reference),
            "public_key": backingKey.publicKey.map { Data($0) },
            "material_id": Data(materialID),
            "creation_date": creationDate.secondsSinceEpoch,
            "state": state.rawValue,
            "rotation_date": rotation?.date.secondsSinceEpoch,
            "rotation_type": rotation?.type.rawValue,
            "import_state": importDetails?.state.rawValue,
            "import_description": importDetails?.description?.utf8Data,
            "valid_to": importDetails?.validTo?.secondsSinceEpoch,
            "adoption": adoption?.rawValue,
        ]
    }
}
