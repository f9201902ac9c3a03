internal import GRDB

extension Schema {
    /// Multi-Region keys.
    ///
    /// A primary that waits for its replicas to go has a window instead of a deletion date; its status column says
    /// `disabled`, which is what a cancellation makes of it.
    @Sendable
    static func createVersion5(_ database: Database) throws {
        try database.execute(
            sql: """
                ALTER TABLE keys ADD COLUMN primary_region TEXT;
                ALTER TABLE keys ADD COLUMN replica_deletion_window_days INTEGER;
                """
        )
    }
}
