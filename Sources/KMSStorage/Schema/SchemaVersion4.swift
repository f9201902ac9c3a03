internal import GRDB

extension Schema {
    /// Imported key material and rotation.
    ///
    /// A key knows its placement also while it has no material. Message counts go by KeyMaterialId instead of backing
    /// key, because material that is imported again is the same key to NIST SP 800-38D §8.3. Import parameters go with
    /// their key; what is left of their wrapping keys in a key store is destroyed by intents.
    @Sendable
    static func createVersion4(_ database: Database) throws {
        try database.execute(
            sql: """
                ALTER TABLE keys ADD COLUMN placement TEXT NOT NULL DEFAULT 'software'
                    CHECK (placement IN ('software', 'device'));
                ALTER TABLE keys ADD COLUMN cluster_id TEXT CHECK ((placement = 'device') = (cluster_id IS NOT NULL));
                UPDATE keys SET (placement, cluster_id) = (
                    SELECT placement, cluster_id FROM key_materials AS material
                    WHERE material.account_id = keys.account_id AND material.region = keys.region
                        AND material.key_id = keys.id AND material.position = 0
                );

                ALTER TABLE keys ADD COLUMN rotation_period_days INTEGER;
                ALTER TABLE keys ADD COLUMN next_rotation_date REAL
                    CHECK ((rotation_period_days IS NULL) = (next_rotation_date IS NULL));

                ALTER TABLE key_materials ADD COLUMN state TEXT NOT NULL DEFAULT 'CURRENT';
                ALTER TABLE key_materials ADD COLUMN rotation_date REAL;
                ALTER TABLE key_materials ADD COLUMN rotation_type TEXT
                    CHECK ((rotation_date IS NULL) = (rotation_type IS NULL));
                ALTER TABLE key_materials ADD COLUMN import_state TEXT;
                ALTER TABLE key_materials ADD COLUMN import_description TEXT;
                ALTER TABLE key_materials ADD COLUMN valid_to REAL;

                CREATE TABLE message_counts (
                    material_id BLOB NOT NULL PRIMARY KEY,
                    version INTEGER NOT NULL DEFAULT 1,
                    total INTEGER NOT NULL CHECK (total >= 0)
                ) STRICT;
                INSERT INTO message_counts (material_id, total)
                    SELECT material_id, max(total) FROM message_reservations
                    JOIN key_materials USING (backing_key_id) GROUP BY material_id;
                DROP TABLE message_reservations;

                CREATE TABLE import_parameters (
                    wrapping_key_id BLOB NOT NULL PRIMARY KEY CHECK (length(wrapping_key_id) = 16),
                    version INTEGER NOT NULL DEFAULT 1,
                    account_id TEXT NOT NULL,
                    region TEXT NOT NULL,
                    key_id TEXT NOT NULL,
                    wrapping_key_spec TEXT NOT NULL,
                    wrapping_algorithm TEXT NOT NULL,
                    reference BLOB NOT NULL,
                    public_key BLOB NOT NULL,
                    placement TEXT NOT NULL CHECK (placement IN ('software', 'device')),
                    cluster_id TEXT CHECK ((placement = 'device') = (cluster_id IS NOT NULL)),
                    creation_date REAL NOT NULL,
                    expiration_date REAL NOT NULL,
                    FOREIGN KEY (account_id, region, key_id) REFERENCES keys (account_id, region, id)
                        ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
                ) STRICT;
                CREATE INDEX import_parameters_by_key ON import_parameters (account_id, region, key_id);
                """
        )
    }
}
