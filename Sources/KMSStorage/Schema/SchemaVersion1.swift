internal import GRDB

extension Schema {
    /// Tables that can stand in a server database as they are: natural primary keys, no rowids in references, and a
    /// `version` that grows with every update of a row, so that several servers can tell whether their copy is stale.
    ///
    /// What belongs to a KMS key (materials, tags) has no version of its own: it changes with its key's row. Texts
    /// compare by bytes, which is SQLite's default collation, BINARY. Dates are seconds since 1970-01-01T00:00:00Z.
    /// References are checked at commit, so that the order of changes within a transaction does not matter.
    @Sendable
    static func createVersion1(_ database: Database) throws {
        try database.execute(sql: "PRAGMA application_id = \(SQLiteMetadataStore.applicationID)")
        try database.execute(
            sql: """
                CREATE TABLE custom_key_stores (
                    id TEXT NOT NULL PRIMARY KEY,
                    version INTEGER NOT NULL DEFAULT 1,
                    account_id TEXT NOT NULL,
                    region TEXT NOT NULL,
                    name TEXT NOT NULL,
                    cluster_id TEXT NOT NULL,
                    trust_anchor_certificate TEXT NOT NULL,
                    sealed_password BLOB NOT NULL,
                    creation_date REAL NOT NULL,
                    connection TEXT NOT NULL CHECK (connection IN ('disconnected', 'connected', 'failed')),
                    connection_error TEXT CHECK ((connection = 'failed') = (connection_error IS NOT NULL))
                ) STRICT;

                CREATE TABLE keys (
                    account_id TEXT NOT NULL,
                    region TEXT NOT NULL,
                    id TEXT NOT NULL,
                    version INTEGER NOT NULL DEFAULT 1,
                    creation_date REAL NOT NULL,
                    key_spec TEXT NOT NULL,
                    key_usage TEXT NOT NULL,
                    origin TEXT NOT NULL,
                    multi_region INTEGER NOT NULL CHECK (multi_region IN (0, 1)),
                    custom_key_store_id TEXT REFERENCES custom_key_stores (id) DEFERRABLE INITIALLY DEFERRED,
                    description TEXT NOT NULL,
                    status TEXT NOT NULL CHECK (status IN ('enabled', 'disabled', 'pending_deletion')),
                    deletion_date REAL CHECK ((status = 'pending_deletion') = (deletion_date IS NOT NULL)),
                    PRIMARY KEY (account_id, region, id)
                ) STRICT;
                CREATE INDEX keys_by_custom_key_store ON keys (custom_key_store_id)
                    WHERE custom_key_store_id IS NOT NULL;

                CREATE TABLE key_materials (
                    account_id TEXT NOT NULL,
                    region TEXT NOT NULL,
                    key_id TEXT NOT NULL,
                    position INTEGER NOT NULL,
                    backing_key_id BLOB NOT NULL CHECK (length(backing_key_id) = 16),
                    backing_key_spec TEXT NOT NULL,
                    backing_kms_key_id TEXT NOT NULL,
                    reference BLOB NOT NULL,
                    placement TEXT NOT NULL CHECK (placement IN ('software', 'device')),
                    cluster_id TEXT CHECK ((placement = 'device') = (cluster_id IS NOT NULL)),
                    material_id BLOB NOT NULL,
                    creation_date REAL NOT NULL,
                    PRIMARY KEY (account_id, region, key_id, position),
                    FOREIGN KEY (account_id, region, key_id) REFERENCES keys (account_id, region, id)
                        ON DELETE CASCADE
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE tags (
                    account_id TEXT NOT NULL,
                    region TEXT NOT NULL,
                    key_id TEXT NOT NULL,
                    position INTEGER NOT NULL,
                    tag_key TEXT NOT NULL,
                    tag_value TEXT NOT NULL,
                    PRIMARY KEY (account_id, region, key_id, position),
                    UNIQUE (account_id, region, key_id, tag_key),
                    FOREIGN KEY (account_id, region, key_id) REFERENCES keys (account_id, region, id)
                        ON DELETE CASCADE
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE aliases (
                    account_id TEXT NOT NULL,
                    region TEXT NOT NULL,
                    name TEXT NOT NULL,
                    version INTEGER NOT NULL DEFAULT 1,
                    target_key_id TEXT NOT NULL,
                    creation_date REAL NOT NULL,
                    last_updated_date REAL NOT NULL,
                    PRIMARY KEY (account_id, region, name),
                    FOREIGN KEY (account_id, region, target_key_id) REFERENCES keys (account_id, region, id)
                        DEFERRABLE INITIALLY DEFERRED
                ) STRICT;
                CREATE INDEX aliases_by_key ON aliases (account_id, region, target_key_id);

                CREATE TABLE intents (
                    backing_key_id BLOB NOT NULL PRIMARY KEY CHECK (length(backing_key_id) = 16),
                    version INTEGER NOT NULL DEFAULT 1,
                    kind TEXT NOT NULL,
                    placement TEXT NOT NULL CHECK (placement IN ('software', 'device')),
                    cluster_id TEXT CHECK ((placement = 'device') = (cluster_id IS NOT NULL)),
                    key_arn TEXT NOT NULL,
                    creation_date REAL NOT NULL
                ) STRICT;

                CREATE TABLE settings (
                    name TEXT NOT NULL PRIMARY KEY,
                    version INTEGER NOT NULL DEFAULT 1,
                    value BLOB NOT NULL
                ) STRICT;

                CREATE TABLE refused_pins (
                    cluster_id TEXT NOT NULL,
                    keyed_hash BLOB NOT NULL,
                    PRIMARY KEY (cluster_id, keyed_hash)
                ) STRICT, WITHOUT ROWID;

                CREATE TABLE message_reservations (
                    backing_key_id BLOB NOT NULL PRIMARY KEY CHECK (length(backing_key_id) = 16),
                    version INTEGER NOT NULL DEFAULT 1,
                    total INTEGER NOT NULL CHECK (total >= 0)
                ) STRICT;
                """
        )
    }
}
