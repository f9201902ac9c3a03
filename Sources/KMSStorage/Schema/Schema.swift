package import GRDB

/// The schema of the metadata database: a list of versions that only ever grows.
///
/// A version that was released is never edited; a change of the schema is a new file and a new entry here. A file is
/// migrated when it is opened, each version in a transaction of its own.
package enum Schema {
    /// What each version adds, oldest first. The n-th one is stored under the name `vn`.
    static let versions: [@Sendable (Database) throws -> Void] = [
        createVersion1, createVersion2, createVersion3, createVersion4, createVersion5, createVersion6,
        createVersion7, createVersion8,
    ]

    package static let migrator: DatabaseMigrator = {
        var migrator = DatabaseMigrator()
        for (index, create) in versions.enumerated() {
            migrator.registerMigration("v\(index + 1)", migrate: create)
        }
        return migrator
    }()
}
