internal import Foundation
package import GRDB
public import KMSCore

/// Keeps metadata in one SQLite file, in write-ahead logging mode.
///
/// What `commit` acknowledged survives a power cut: `synchronous=FULL` makes SQLite fsync the log at every commit
/// (https://www.sqlite.org/pragma.html#pragma_synchronous). All functions block. The file belongs to one process at a
/// time, which `DataDirectoryLock` sees to; reading it with another SQLite client while the server runs is harmless.
public final class SQLiteMetadataStore: MetadataStore {
    /// The name of the file in the data directory.
    public static let fileName = "strongroom.sqlite"

    /// "STRG": tells our files from other SQLite files (https://www.sqlite.org/fileformat.html#application_id).
    static let applicationID: Int32 = 0x5354_5247

    /// The one connection, which serialises what is done with it.
    package let database: DatabaseQueue
    private let path: String

    /// Opens the file at `path`, or creates it readable by its owner only, checks it and brings its schema up to date.
    ///
    /// Throws when the file is damaged, belongs to something else, was written by a newer version, or cannot be
    /// written.
    public init(path: String) throws(MetadataStoreError) {
        try PrivateFile.create(path)
        var configuration = Configuration()
        configuration.label = "strongroom.metadata"
        configuration.foreignKeysEnabled = true
        // A backup tool may hold the file for a moment.
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in try Self.prepare(database) }
        do {
            let database = try DatabaseQueue(path: path, configuration: configuration)
            try database.inDatabase { database in try Self.check(database, path: path) }
            try Schema.migrator.migrate(database)
            self.database = database
            self.path = path
        } catch {
            throw MetadataStoreError(error, doing: "open", path: path)
        }
    }

    public func load() throws(MetadataStoreError) -> MetadataContents {
        do {
            return try database.read { database in try Self.contents(of: database) }
        } catch {
            throw MetadataStoreError(error, doing: "read", path: path)
        }
    }

    /// Reads the database at `path` without changing it; a server may be running on it. What is read is one state of
    /// it: that after some commit.
    ///
    /// Throws when there is none, and when an older or newer version of Strongroom wrote it: nothing is migrated.
    public static func contents(at path: String) throws(MetadataStoreError) -> MetadataContents {
        guard FileManager.default.fileExists(atPath: path) else {
            throw MetadataStoreError("there is no database at \(path)")
        }
        var configuration = Configuration()
        configuration.label = "strongroom.metadata.reading"
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in try Self.distrust(database) }
        do {
            let database = try DatabaseQueue(path: path, configuration: configuration)
            return try database.read { database in
                try check(database, path: path)
                guard try Schema.migrator.hasCompletedMigrations(database) else {
                    throw MetadataStoreError(
                        "an older version of Strongroom has written it; start the server of this version once, "
                            + "which brings it up to date"
                    )
                }
                return try contents(of: database)
            }
        } catch {
            throw MetadataStoreError(error, doing: "read", path: path)
        }
    }

    private static func contents(of database: Database) throws -> MetadataContents {
        var contents = MetadataContents()
        contents.keys = try KMSKey.all(in: database)
        contents.aliases = try Alias.all(in: database)
        contents.grants = try KeyGrant.all(in: database)
        contents.customKeyStores = try CustomKeyStore.all(in: database)
        contents.intents = try Intent.all(in: database)
        contents.settings = try MetadataSetting.all(in: database)
        contents.refusedPINs = try RefusedPINRows.all(in: database)
        contents.messageReservations = try MessageReservationRows.all(in: database)
        contents.importParameters = try ImportParameters.all(in: database)
        contents.lastUses = try KeyLastUse.all(in: database)
        return contents
    }

    public func commit(_ changes: [MetadataChange]) throws(MetadataStoreError) {
        do {
            try database.write { database in
                for change in changes { try Self.apply(change, to: database) }
            }
        } catch {
            throw MetadataStoreError(error, doing: "write", path: path)
        }
    }

    private static func apply(_ change: MetadataChange, to database: Database) throws {
        switch change {
        case .putKey(let key): try key.put(into: database)
        case .deleteKey(let id, let scope): try KMSKey.delete(id, scope, from: database)
        case .putAlias(let alias): try alias.put(into: database)
        case .deleteAlias(let name, let scope): try Alias.delete(name, scope, from: database)
        case .putGrant(let grant): try grant.put(into: database)
        case .deleteGrant(let id, let keyID, let scope):
            try KeyGrant.delete(id, ofKey: keyID, scope, from: database)
        case .putCustomKeyStore(let keyStore): try keyStore.put(into: database)
        case .deleteCustomKeyStore(let id): try CustomKeyStore.delete(id, from: database)
        case .putIntent(let intent): try intent.put(into: database)
        case .deleteIntent(let id): try Intent.delete(id, from: database)
        case .putSetting(let setting, let value): try setting.put(value, into: database)
        case .refusePIN(let clusterID, let keyedHash):
            try RefusedPINRows.put(clusterID, keyedHash, into: database)
        case .forgetPIN(let clusterID, let keyedHash):
            try RefusedPINRows.delete(clusterID, keyedHash, from: database)
        case .reserveMessages(let materialID, let total):
            try MessageReservationRows.put(materialID, total, into: database)
        case .putImportParameters(let parameters): try parameters.put(into: database)
        case .deleteImportParameters(let id): try ImportParameters.delete(id, from: database)
        case .putLastUse(let use): try use.put(into: database)
        }
    }
}

extension SQLiteMetadataStore {
    private static func prepare(_ database: Database) throws {
        guard try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL") == "wal" else {
            throw MetadataStoreError("its file system does not support write-ahead logging (shared memory is needed)")
        }
        try database.execute(sql: "PRAGMA synchronous = FULL")
        try distrust(database)
    }

    private static func distrust(_ database: Database) throws {
        // A damaged or forged file shall give errors, not surprises (https://www.sqlite.org/security.html §1.2).
        try database.execute(sql: "PRAGMA trusted_schema = OFF")
        try database.execute(sql: "PRAGMA cell_size_check = ON")
    }

    /// Refuses a file that is not ours, is damaged, or that a newer version wrote, before anything is written to it.
    private static func check(_ database: Database, path: String) throws {
        // The migrator makes its own table before the first version of ours: a full disk may come in between.
        let isEmpty =
            try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_schema WHERE tbl_name != 'grdb_migrations'")
            == 0
        let owner = try Int32.fetchOne(database, sql: "PRAGMA application_id")
        guard isEmpty || owner == applicationID else {
            throw MetadataStoreError("it is an SQLite database of another application; give another data directory")
        }
        let finding = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
        guard finding == "ok" else {
            throw MetadataStoreError(
                "the file is damaged (\(finding ?? "no finding")); restore strongroom.sqlite from a backup"
            )
        }
        guard try !Schema.migrator.hasBeenSuperseded(database) else {
            throw MetadataStoreError(
                "a newer version of Strongroom has written it, and this version knows schema versions up to "
                    + "\(Schema.versions.count) only; run the newer version, or restore a backup made by this one"
            )
        }
    }
}
