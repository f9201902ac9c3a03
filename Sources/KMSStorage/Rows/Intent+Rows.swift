internal import Foundation
internal import GRDB
internal import KMSCore
internal import KMSModel
internal import KeyStores

extension Intent {
    func put(into database: Database) throws {
        try database.run(
            """
            INSERT INTO intents (backing_key_id, kind, placement, cluster_id, key_arn, creation_date,
                adopted_reference)
            VALUES (:backing_key_id, :kind, :placement, :cluster_id, :key_arn, :creation_date, :adopted_reference)
            ON CONFLICT (backing_key_id) DO UPDATE SET version = version + 1,
                kind = excluded.kind, placement = excluded.placement, cluster_id = excluded.cluster_id,
                key_arn = excluded.key_arn, creation_date = excluded.creation_date,
                adopted_reference = excluded.adopted_reference
            """,
            placement.columns + [
                "backing_key_id": backingKeyID.data,
                "kind": kind.rawValue,
                "key_arn": keyARN,
                "creation_date": creationDate.secondsSinceEpoch,
                "adopted_reference": Data(adoptedReference),
            ]
        )
    }

    static func delete(_ id: BackingKeyID, from database: Database) throws {
        try database.run("DELETE FROM intents WHERE backing_key_id = :id", ["id": id.data])
    }

    /// Oldest first, so that reconciliation finishes them in order.
    static func all(in database: Database) throws -> [Intent] {
        var intents: [Intent] = []
        try database.forEachRow(of: "intents", "SELECT * FROM intents ORDER BY creation_date, backing_key_id") { row in
            intents.append(
                Intent(
                    kind: try row.name("kind"),
                    backingKeyID: try row.backingKeyID("backing_key_id"),
                    placement: try row.placement(),
                    keyARN: try row.string("key_arn"),
                    creationDate: try row.timestamp("creation_date"),
                    adoptedReference: try row.bytes("adopted_reference")
                )
            )
        }
        return intents
    }
}
