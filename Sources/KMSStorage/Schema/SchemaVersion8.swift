internal import GRDB

extension Schema {
    /// Adopted objects: which materials stand for one, what becomes of it with the key (`leave` or `destroy`), and
    /// which one a tombstone means. Which object it is stands in the reference of the backing key.
    @Sendable
    static func createVersion8(_ database: Database) throws {
        try database.execute(
            sql: """
                ALTER TABLE key_materials ADD COLUMN adoption TEXT;
                ALTER TABLE intents ADD COLUMN adopted_reference BLOB NOT NULL DEFAULT x'';
                """
        )
    }
}
