internal import GRDB

extension Schema {
    /// Key policies and grants.
    ///
    /// A key without a policy of its own has the default policy of its account. A grant has a `version` of its own,
    /// because it changes without its key's row, and goes with its key. Its primary key begins with the KMS key, so
    /// that the deletion of a KMS key finds its grants without looking at others.
    @Sendable
    static func createVersion2(_ database: Database) throws {
        try database.execute(
            sql: """
                ALTER TABLE keys ADD COLUMN policy TEXT;

                CREATE TABLE grants (
                    account_id TEXT NOT NULL,
                    region TEXT NOT NULL,
                    key_id TEXT NOT NULL,
                    id TEXT NOT NULL,
                    version INTEGER NOT NULL DEFAULT 1,
                    name TEXT,
                    grantee_principal TEXT NOT NULL,
                    retiring_principal TEXT,
                    operations TEXT NOT NULL CHECK (operations <> ''),
                    constraints TEXT CHECK (constraints <> ''),
                    issuing_account TEXT NOT NULL,
                    creation_date REAL NOT NULL,
                    PRIMARY KEY (account_id, region, key_id, id),
                    FOREIGN KEY (account_id, region, key_id) REFERENCES keys (account_id, region, id)
                        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
                ) STRICT;
                """
        )
    }
}
