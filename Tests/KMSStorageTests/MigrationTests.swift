import Foundation
import GRDB
import KMSCore
import KMSModel
import KMSPolicy
import KMSStorage
import KeyStores
import Testing

/// Databases of other versions, and reading one that a server has open.
@Suite struct MigrationTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Makes a database of version 1 with the rows of one key, as version 1 wrote them. Returns the key.
    private func writeVersion1() throws -> KMSKey {
        let key = makeKey(description: "caf\u{E9} \0", tags: [Tag(tagKey: "k", tagValue: "v")])
        let database = try DatabaseQueue(path: directory.databasePath)
        try Schema.migrator.migrate(database, upTo: "v1")
        try database.write { database in
            let (material, name) = (key.materials[0], [key.scope.accountID, key.scope.region, key.id])
            try database.execute(
                sql: """
                    INSERT INTO keys VALUES (?, ?, ?, 7, ?, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT', 'AWS_KMS', 0, NULL,
                        CAST(? AS TEXT), 'enabled', NULL)
                    """,
                arguments: StatementArguments(name) + [
                    key.creationDate.secondsSinceEpoch, Data(key.description.utf8),
                ]
            )
            try database.execute(
                sql: """
                    INSERT INTO key_materials VALUES (?, ?, ?, 0, ?, 'SYMMETRIC_DEFAULT', ?, ?, 'software', NULL, ?, ?)
                    """,
                arguments: StatementArguments(name) + [
                    Data(material.backingKey.id.bytes), key.id, Data(material.backingKey.reference),
                    Data(material.materialID), material.creationDate.secondsSinceEpoch,
                ]
            )
            try database.execute(
                sql: "INSERT INTO tags VALUES (?, ?, ?, 0, 'k', 'v')", arguments: StatementArguments(name)
            )
            try database.execute(
                sql: "INSERT INTO aliases (account_id, region, target_key_id, name, creation_date, last_updated_date) "
                    + "VALUES (?, ?, ?, 'alias/a', 1.5, 2.5)",
                arguments: StatementArguments(name)
            )
            try database.execute(sql: "INSERT INTO settings VALUES ('clockOffset', 1, x'01')")
            // Counts of a key that is there, and of one that is gone.
            try database.execute(
                sql: "INSERT INTO message_reservations VALUES (?, 3, 65536), (zeroblob(16), 1, 1)",
                arguments: [Data(material.backingKey.id.bytes)])
        }
        try database.close()
        return key
    }

    private func refusal() -> String? {
        do throws(MetadataStoreError) {
            _ = try SQLiteMetadataStore.contents(at: directory.databasePath)
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `The message counts of version 1 go on under the ids of the materials`() throws {
        let key = try writeVersion1()
        #expect(try directory.open().load().messageReservations == [key.materials[0].materialID: 65_536])
    }

    @Test func `A key of version 1 goes on where its material is`() throws {
        let key = try writeVersion1()
        let database = try DatabaseQueue(path: directory.databasePath)
        try database.write { database in
            try database.execute(
                sql: "UPDATE key_materials SET placement = 'device', cluster_id = 'cluster-abcdefghijk'")
        }
        try database.close()
        let migrated = try directory.open().load().keys
        #expect(
            migrated.map(\.id) == [key.id] && migrated.first?.placement == .device(clusterID: "cluster-abcdefghijk"))
    }

    @Test func `A database of version 1 keeps its rows and takes policies and grants`() throws {
        var key = try writeVersion1()
        let store = try directory.open()
        let contents = try store.load()
        #expect(contents.keys == [key] && contents.keys.first?.policy == nil)
        #expect(contents.aliases.map(\.name) == ["alias/a"] && contents.settings == [.clockOffset: [1]])
        #expect(contents.grants.isEmpty)

        let grant = makeGrant(on: key)
        key.policy = KeyPolicy(stored: "{}")
        try store.commit([.putKey(key), .putGrant(grant)])
        #expect(try directory.open().load().keys == [key])
        #expect(try directory.open().load().grants == [grant])
        try store.commit([
            .deleteAlias(name: "alias/a", scope: key.scope), .deleteKey(id: key.id, scope: key.scope),
        ])
        #expect(try directory.open().load().grants.isEmpty)
    }

    /// What was released is not edited: a file of version 1 would no longer be what the code takes it for.
    @Test func `The tables of version 1 are what they were`() throws {
        _ = try writeVersion1()
        let database = try DatabaseQueue(path: directory.databasePath)
        let tables = try database.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT m.name || ': ' || (SELECT group_concat(name, ' ') FROM pragma_table_info(m.name))
                    FROM sqlite_schema m WHERE m.type = 'table' AND m.name <> 'grdb_migrations' ORDER BY m.name
                    """
            )
        }
        let expected = """
            aliases: account_id region name version target_key_id creation_date last_updated_date
            custom_key_stores: id version account_id region name cluster_id trust_anchor_certificate sealed_password \
            creation_date connection connection_error
            intents: backing_key_id version kind placement cluster_id key_arn creation_date
            key_materials: account_id region key_id position backing_key_id backing_key_spec backing_kms_key_id \
            reference placement cluster_id material_id creation_date
            keys: account_id region id version creation_date key_spec key_usage origin multi_region \
            custom_key_store_id description status deletion_date
            message_reservations: backing_key_id version total
            refused_pins: cluster_id keyed_hash
            settings: name version value
            tags: account_id region key_id position tag_key tag_value
            """
        #expect(tables == expected.split(separator: "\n").map(String.init))
    }

    @Test func `Reading sees what a running server committed, and changes nothing`() throws {
        let store = try directory.open()
        let key = makeKey()
        try store.commit([.putKey(key)])
        #expect(try SQLiteMetadataStore.contents(at: directory.databasePath).keys == [key])
        let grant = makeGrant(on: key)
        try store.commit([.putGrant(grant)])
        #expect(try SQLiteMetadataStore.contents(at: directory.databasePath).grants == [grant])
        // The server goes on, also while somebody reads.
        try store.commit([.deleteKey(id: key.id, scope: key.scope)])
        #expect(try SQLiteMetadataStore.contents(at: directory.databasePath).keys.isEmpty)
    }

    @Test func `Reading works when no server runs`() throws {
        let key = makeKey()
        let store = try directory.open()
        try store.commit([.putKey(key)])
        try store.database.close()
        let before = try Data(contentsOf: URL(filePath: directory.databasePath))
        #expect(try SQLiteMetadataStore.contents(at: directory.databasePath).keys == [key])
        #expect(try Data(contentsOf: URL(filePath: directory.databasePath)) == before)
    }

    @Test func `Reading refuses an older database and leaves it as it is`() throws {
        _ = try writeVersion1()
        let before = try Data(contentsOf: URL(filePath: directory.databasePath))
        #expect(refusal()?.contains("an older version of Strongroom has written it; start the server") == true)
        #expect(try Data(contentsOf: URL(filePath: directory.databasePath)) == before)
    }

    @Test func `Reading refuses a newer database`() throws {
        let store = try directory.open()
        try store.database.write { database in
            try database.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('v999')")
        }
        #expect(refusal()?.contains("a newer version of Strongroom has written it") == true)
    }

    @Test func `Reading makes no file where there is none`() throws {
        #expect(refusal() == "there is no database at \(directory.databasePath)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
    }

    @Test func `Reading refuses what is not a database of ours`() throws {
        try Data("These are no pages. ".utf8 + [UInt8](repeating: 65, count: 8192))
            .write(to: URL(filePath: directory.databasePath))
        #expect(refusal()?.contains("is not an SQLite database") == true)
        try FileManager.default.removeItem(atPath: directory.databasePath)
        let other = try DatabaseQueue(path: directory.databasePath)
        try other.write { database in try database.execute(sql: "CREATE TABLE notes (text)") }
        #expect(refusal()?.contains("database of another application") == true)
    }
}
