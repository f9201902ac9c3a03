internal import Foundation
internal import GRDB
internal import KMSCore
internal import KeyStores

extension MetadataSetting {
    func put(_ value: [UInt8]?, into database: Database) throws {
        guard let value else {
            try database.run("DELETE FROM settings WHERE name = :name", ["name": rawValue])
            return
        }
        try database.run(
            """
            INSERT INTO settings (name, value) VALUES (:name, :value)
            ON CONFLICT (name) DO UPDATE SET version = version + 1, value = excluded.value
            """,
            ["name": rawValue, "value": Data(value)]
        )
    }

    static func all(in database: Database) throws -> [MetadataSetting: [UInt8]] {
        var settings: [MetadataSetting: [UInt8]] = [:]
        try database.forEachRow(of: "settings", "SELECT name, value FROM settings") { row in
            settings[try row.name("name")] = try row.bytes("value")
        }
        return settings
    }
}

/// Keyed hashes of the PINs that a device refused, and of those that it is being tried with.
enum RefusedPINRows {
    static func put(_ clusterID: String, _ keyedHash: [UInt8], into database: Database) throws {
        try database.run(
            """
            INSERT INTO refused_pins (cluster_id, keyed_hash) VALUES (:cluster_id, :keyed_hash)
            ON CONFLICT DO NOTHING
            """,
            ["cluster_id": clusterID, "keyed_hash": Data(keyedHash)]
        )
    }

    static func delete(_ clusterID: String, _ keyedHash: [UInt8], from database: Database) throws {
        try database.run(
            "DELETE FROM refused_pins WHERE cluster_id = :cluster_id AND keyed_hash = :keyed_hash",
            ["cluster_id": clusterID, "keyed_hash": Data(keyedHash)])
    }

    static func all(in database: Database) throws -> [String: Set<[UInt8]>] {
        var hashes: [String: Set<[UInt8]>] = [:]
        try database.forEachRow(of: "refused_pins", "SELECT cluster_id, keyed_hash FROM refused_pins") { row in
            hashes[try row.string("cluster_id"), default: []].insert(try row.bytes("keyed_hash"))
        }
        return hashes
    }
}

/// How many messages may have been encrypted under each material.
enum MessageReservationRows {
    static func put(_ materialID: [UInt8], _ total: UInt64, into database: Database) throws {
        // The limit of AES-GCM with random IVs is 2^32 messages (NIST SP 800-38D §8.3), far below.
        guard let total = Int64(exactly: total) else {
            throw MetadataStoreError("a message reservation of \(total) is out of range")
        }
        try database.run(
            """
            INSERT INTO message_counts (material_id, total) VALUES (:id, :total)
            ON CONFLICT (material_id) DO UPDATE SET version = version + 1, total = excluded.total
            """,
            ["id": Data(materialID), "total": total]
        )
    }

    static func all(in database: Database) throws -> [[UInt8]: UInt64] {
        var totals: [[UInt8]: UInt64] = [:]
        try database.forEachRow(of: "message_counts", "SELECT material_id, total FROM message_counts") { row in
            totals[try row.bytes("material_id")] = try row.count("total")
        }
        return totals
    }
}
