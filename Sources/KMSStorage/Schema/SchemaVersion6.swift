internal import GRDB

extension Schema {
    /// The last use of each key, which goes with the key.
    @Sendable
    static func createVersion6(_ database: Database) throws {
        try database.execute(
            sql: """
                CREATE TABLE key_last_uses (
                    account_id TEXT NOT NULL,
                    region TEXT NOT NULL,
                    key_id TEXT NOT NULL,
                    version INTEGER NOT NULL DEFAULT 1,
                    operation TEXT NOT NULL,
                    time REAL NOT NULL,
                    event_id TEXT NOT NULL,
                    request_id TEXT NOT NULL,
                    PRIMARY KEY (account_id, region, key_id),
                    FOREIGN KEY (account_id, region, key_id) REFERENCES keys (account_id, region, id)
                        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
                ) STRICT;
                """
        )
    }
}
