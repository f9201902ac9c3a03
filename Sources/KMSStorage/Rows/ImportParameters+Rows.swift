internal import Foundation
internal import GRDB
internal import KMSCore
internal import KMSModel
internal import KeyStores

extension ImportParameters {
    func put(into database: Database) throws {
        try database.run(
            """
            INSERT INTO import_parameters (wrapping_key_id, account_id, region, key_id, wrapping_key_spec,
                wrapping_algorithm, reference, public_key, placement, cluster_id, creation_date, expiration_date)
            VALUES (:wrapping_key_id, :account_id, :region, :key_id, :wrapping_key_spec,
                :wrapping_algorithm, :reference, :public_key, :placement, :cluster_id, :creation_date, :expiration_date)
            """,
            scope.columns + placement.columns + [
                "wrapping_key_id": wrappingKey.id.data,
                "key_id": wrappingKey.kmsKeyID,
                "wrapping_key_spec": wrappingKey.wrappingKeySpec.rawValue,
                "wrapping_algorithm": wrappingKey.wrappingAlgorithm.rawValue,
                "reference": Data(wrappingKey.reference),
                "public_key": Data(wrappingKey.publicKey),
                "creation_date": creationDate.secondsSinceEpoch,
                "expiration_date": expirationDate.secondsSinceEpoch,
            ]
        )
    }

    static func delete(_ id: BackingKeyID, from database: Database) throws {
        try database.run("DELETE FROM import_parameters WHERE wrapping_key_id = :id", ["id": id.data])
    }

    static func all(in database: Database) throws -> [ImportParameters] {
        var parameters: [ImportParameters] = []
        try database.forEachRow(
            of: "import_parameters", "SELECT * FROM import_parameters ORDER BY creation_date, wrapping_key_id"
        ) { row in
            parameters.append(
                ImportParameters(
                    wrappingKey: WrappingKey(
                        id: try row.backingKeyID("wrapping_key_id"),
                        wrappingKeySpec: try row.name("wrapping_key_spec"),
                        wrappingAlgorithm: try row.name("wrapping_algorithm"),
                        kmsKeyID: try row.string("key_id"),
                        reference: try row.bytes("reference"),
                        publicKey: try row.bytes("public_key")),
                    placement: try row.placement(),
                    scope: try row.scope(),
                    creationDate: try row.timestamp("creation_date"),
                    expirationDate: try row.timestamp("expiration_date")))
        }
        return parameters
    }
}
