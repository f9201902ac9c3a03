internal import Foundation
internal import GRDB
internal import KMSCore
internal import KMSModel
internal import KeyStores

extension KMSKey {
    /// Writes the key's row, then of its materials and tags only what differs from what is stored: most changes of a
    /// key touch neither.
    func put(into database: Database) throws {
        try database.run(Self.upsert, columns)
        try KeyMaterialRows.put(materials, of: name, into: database)
        try TagRows.put(tags, of: name, into: database)
    }

    /// Takes materials, tags, grants, import parameters and the message counts of its materials with it. The replicas
    /// of a multi-Region key share its materials, and the counts stay.
    static func delete(_ id: String, _ scope: Scope, from database: Database) throws {
        let name = scope.columns + ["key_id": id]
        try database.run(
            """
            DELETE FROM message_counts WHERE material_id IN (
                SELECT material_id FROM key_materials JOIN keys ON keys.id = key_materials.key_id
                    AND keys.account_id = key_materials.account_id AND keys.region = key_materials.region
                WHERE keys.account_id = :account_id AND keys.region = :region AND keys.id = :key_id
                    AND NOT keys.multi_region
            )
            """,
            name
        )
        try database.run(
            "DELETE FROM keys WHERE account_id = :account_id AND region = :region AND id = :key_id", name
        )
    }

    static func all(in database: Database) throws -> [KMSKey] {
        var materials = try KeyMaterialRows.all(in: database)
        var tags = try TagRows.all(in: database)
        var keys: [KMSKey] = []
        try database.forEachRow(
            of: "keys",
            """
            SELECT account_id, region, id, creation_date, key_spec, key_usage, origin, multi_region,
                custom_key_store_id, CAST(description AS BLOB) AS description, status, deletion_date,
                CAST(policy AS BLOB) AS policy, placement, cluster_id,
                rotation_period_days, next_rotation_date, primary_region, replica_deletion_window_days,
                key_manager
            FROM keys ORDER BY account_id, region, id
            """
        ) { row in
            let name = KeyName(scope: try row.scope(), id: try row.string("id"))
            let key = try KMSKey(
                row, name, materials: materials.removeValue(forKey: name) ?? [],
                tags: tags.removeValue(forKey: name) ?? [])
            guard !key.materials.isEmpty || key.origin == .external else {
                throw row.malformed("id", "has no key material")
            }
            keys.append(key)
        }
        return keys
    }

    private init(
        _ row: StoredRow, _ name: KeyName, materials: [KeyMaterial], tags: [Tag]
    ) throws(MetadataStoreError) {
        self.init(
            id: name.id,
            scope: name.scope,
            creationDate: try row.timestamp("creation_date"),
            keySpec: try row.name("key_spec"),
            keyUsage: try row.name("key_usage"),
            origin: try row.name("origin"),
            manager: try row.name("key_manager"),
            primaryRegion: try row.optionalString("primary_region"),
            customKeyStoreID: try row.optionalString("custom_key_store_id"),
            description: try row.text("description"),
            status: try KeyStatus(row),
            tags: tags,
            policy: try row.optionalText("policy").map { KeyPolicy(stored: $0) },
            automaticRotation: try row.optionalTimestamp("next_rotation_date").map { date throws(MetadataStoreError) in
                AutomaticRotation(
                    periodInDays: try row.count("rotation_period_days", atMost: 2560), nextDate: date)
            },
            placement: try row.placement(),
            materials: materials
        )
    }

    private var name: KeyName { KeyName(scope: scope, id: id) }

    private var columns: Columns {
        scope.columns + status.columns + placement.columns + [
            "id": id,
            "creation_date": creationDate.secondsSinceEpoch,
            "key_spec": keySpec.rawValue,
            "key_usage": keyUsage.rawValue,
            "origin": origin.rawValue,
            "key_manager": manager.rawValue,
            "multi_region": multiRegion,
            "primary_region": primaryRegion,
            "custom_key_store_id": customKeyStoreID,
            "description": description.utf8Data,
            "policy": policy?.text.utf8Data,
            "rotation_period_days": automaticRotation?.periodInDays,
            "next_rotation_date": automaticRotation?.nextDate.secondsSinceEpoch,
        ]
    }

    private static let upsert = """
        INSERT INTO keys (account_id, region, id, creation_date, key_spec, key_usage, origin, multi_region,
            custom_key_store_id, description, status, deletion_date, policy, placement, cluster_id,
            rotation_period_days, next_rotation_date, primary_region, replica_deletion_window_days, key_manager)
        VALUES (:account_id, :region, :id, :creation_date, :key_spec, :key_usage, :origin, :multi_region,
            :custom_key_store_id, CAST(:description AS TEXT), :status, :deletion_date,
            CAST(:policy AS TEXT), :placement, :cluster_id, :rotation_period_days, :next_rotation_date, :primary_region,
            :replica_deletion_window_days, :key_manager)
        ON CONFLICT (account_id, region, id) DO UPDATE SET version = version + 1,
            creation_date = excluded.creation_date, key_spec = excluded.key_spec, key_usage = excluded.key_usage,
            origin = excluded.origin, multi_region = excluded.multi_region,
            custom_key_store_id = excluded.custom_key_store_id, description = excluded.description,
            status = excluded.status, deletion_date = excluded.deletion_date,
            policy = excluded.policy, placement = excluded.placement, cluster_id = excluded.cluster_id,
            rotation_period_days = excluded.rotation_period_days, next_rotation_date = excluded.next_rotation_date,
            primary_region = excluded.primary_region,
            replica_deletion_window_days = excluded.replica_deletion_window_days, key_manager = excluded.key_manager
        """
}

/// What a key's rows in other tables know it by: a multi-Region key has the same id in several Regions.
struct KeyName: Hashable {
    let scope: Scope
    let id: String

    var columns: Columns { scope.columns + ["key_id": id] }
}

extension KeyStatus {
    init(_ row: StoredRow) throws(MetadataStoreError) {
        if let days = try row.optionalCount("replica_deletion_window_days", atMost: 365) {
            self = .pendingReplicaDeletion(windowDays: days)
            return
        }
        switch try row.string("status") {
        case "enabled": self = .enabled
        case "disabled": self = .disabled
        case "pending_deletion": self = .pendingDeletion(deletionDate: try row.timestamp("deletion_date"))
        case let other: throw row.unknown("status", other)
        }
    }

    var columns: Columns {
        switch self {
        case .enabled: Self.columns("enabled")
        case .disabled: Self.columns("disabled")
        case .pendingDeletion(let date): Self.columns("pending_deletion", date: date)
        case .pendingReplicaDeletion(let days): Self.columns("disabled", windowDays: days)
        }
    }

    private static func columns(_ status: String, date: Timestamp? = nil, windowDays: Int? = nil) -> Columns {
        ["status": status, "deletion_date": date?.secondsSinceEpoch, "replica_deletion_window_days": windowDays]
    }
}
