internal import Foundation
internal import GRDB
internal import KMSCore
internal import KMSModel

extension CustomKeyStore {
    func put(into database: Database) throws {
        try database.run(
            """
            INSERT INTO custom_key_stores (id, account_id, region, name, cluster_id, trust_anchor_certificate,
                sealed_password, creation_date, connection, connection_error)
            VALUES (:id, :account_id, :region, CAST(:name AS TEXT), :cluster_id,
                CAST(:trust_anchor_certificate AS TEXT), :sealed_password, :creation_date, :connection,
                :connection_error)
            ON CONFLICT (id) DO UPDATE SET version = version + 1,
                account_id = excluded.account_id, region = excluded.region, name = excluded.name,
                cluster_id = excluded.cluster_id, trust_anchor_certificate = excluded.trust_anchor_certificate,
                sealed_password = excluded.sealed_password, creation_date = excluded.creation_date,
                connection = excluded.connection, connection_error = excluded.connection_error
            """,
            scope.columns + connection.columns + [
                "id": id,
                "name": name.utf8Data,
                "cluster_id": clusterID,
                "trust_anchor_certificate": trustAnchorCertificate.utf8Data,
                "sealed_password": Data(sealedPassword),
                "creation_date": creationDate.secondsSinceEpoch,
            ]
        )
    }

    static func delete(_ id: String, from database: Database) throws {
        try database.run("DELETE FROM custom_key_stores WHERE id = :id", ["id": id])
    }

    static func all(in database: Database) throws -> [CustomKeyStore] {
        var keyStores: [CustomKeyStore] = []
        try database.forEachRow(
            of: "custom_key_stores",
            """
            SELECT id, account_id, region, CAST(name AS BLOB) AS name, cluster_id,
                CAST(trust_anchor_certificate AS BLOB) AS trust_anchor_certificate, sealed_password, creation_date,
                connection, connection_error
            FROM custom_key_stores ORDER BY creation_date, id
            """
        ) { row in
            keyStores.append(
                CustomKeyStore(
                    id: try row.string("id"),
                    scope: try row.scope(),
                    name: try row.text("name"),
                    clusterID: try row.string("cluster_id"),
                    trustAnchorCertificate: try row.text("trust_anchor_certificate"),
                    sealedPassword: try row.bytes("sealed_password"),
                    creationDate: try row.timestamp("creation_date"),
                    connection: try Connection(row)
                )
            )
        }
        return keyStores
    }
}

extension CustomKeyStore.Connection {
    fileprivate init(_ row: StoredRow) throws(MetadataStoreError) {
        switch try row.string("connection") {
        case "disconnected": self = .disconnected
        case "connected": self = .connected
        case "failed": self = .failed(try row.name("connection_error"))
        case let other: throw row.unknown("connection", other)
        }
    }

    fileprivate var columns: Columns {
        switch self {
        case .disconnected: ["connection": "disconnected", "connection_error": nil]
        case .connected: ["connection": "connected", "connection_error": nil]
        case .failed(let code): ["connection": "failed", "connection_error": code.rawValue]
        }
    }
}
