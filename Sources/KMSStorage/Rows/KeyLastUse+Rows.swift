internal import GRDB
internal import KMSCore
internal import KMSModel

extension KeyLastUse {
    func put(into database: Database) throws {
        try database.run(
            """
            INSERT INTO key_last_uses (account_id, region, key_id, operation, time, event_id, request_id)
            VALUES (:account_id, :region, :key_id, :operation, :time, :event_id, :request_id)
            ON CONFLICT (account_id, region, key_id) DO UPDATE SET version = version + 1,
                operation = excluded.operation, time = excluded.time, event_id = excluded.event_id,
                request_id = excluded.request_id
            """,
            scope.columns + [
                "key_id": keyID,
                "operation": operation.rawValue,
                "time": time.secondsSinceEpoch,
                "event_id": eventID,
                "request_id": requestID,
            ]
        )
    }

    static func all(in database: Database) throws -> [KeyLastUse] {
        var uses: [KeyLastUse] = []
        try database.forEachRow(
            of: "key_last_uses", "SELECT * FROM key_last_uses ORDER BY account_id, region, key_id"
        ) { row in
            uses.append(
                KeyLastUse(
                    scope: try row.scope(),
                    keyID: try row.string("key_id"),
                    operation: try row.name("operation"),
                    time: try row.timestamp("time"),
                    eventID: try row.string("event_id"),
                    requestID: try row.string("request_id")))
        }
        return uses
    }
}
