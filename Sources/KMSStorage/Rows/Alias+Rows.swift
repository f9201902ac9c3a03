internal import GRDB
internal import KMSCore
internal import KMSModel

extension Alias {
    func put(into database: Database) throws {
        try database.run(
            """
            INSERT INTO aliases (account_id, region, name, target_key_id, creation_date, last_updated_date)
            VALUES (:account_id, :region, :name, :target_key_id, :creation_date, :last_updated_date)
            ON CONFLICT (account_id, region, name) DO UPDATE SET version = version + 1,
                target_key_id = excluded.target_key_id, creation_date = excluded.creation_date,
                last_updated_date = excluded.last_updated_date
            """,
            scope.columns + [
                "name": name,
                "target_key_id": targetKeyID,
                "creation_date": creationDate.secondsSinceEpoch,
                "last_updated_date": lastUpdatedDate.secondsSinceEpoch,
            ]
        )
    }

    static func delete(_ name: String, _ scope: Scope, from database: Database) throws {
        try database.run(
            "DELETE FROM aliases WHERE account_id = :account_id AND region = :region AND name = :name",
            scope.columns + ["name": name]
        )
    }

    static func all(in database: Database) throws -> [Alias] {
        var aliases: [Alias] = []
        try database.forEachRow(of: "aliases", "SELECT * FROM aliases ORDER BY account_id, region, name") { row in
            aliases.append(
                Alias(
                    scope: try row.scope(),
                    name: try row.string("name"),
                    targetKeyID: try row.string("target_key_id"),
                    creationDate: try row.timestamp("creation_date"),
                    lastUpdatedDate: try row.timestamp("last_updated_date")
                )
            )
        }
        return aliases
    }
}
