internal import GRDB

extension Schema {
    /// AWS managed keys: KeyManager as the API writes it.
    @Sendable
    static func createVersion7(_ database: Database) throws {
        try database.execute(sql: "ALTER TABLE keys ADD COLUMN key_manager TEXT NOT NULL DEFAULT 'CUSTOMER'")
    }
}
