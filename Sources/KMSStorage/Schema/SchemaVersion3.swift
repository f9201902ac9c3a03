internal import GRDB

extension Schema {
    /// Public keys of asymmetric keys, beside the materials that they belong to: NULL for other keys.
    @Sendable
    static func createVersion3(_ database: Database) throws {
        try database.execute(sql: "ALTER TABLE key_materials ADD COLUMN public_key BLOB")
    }
}
