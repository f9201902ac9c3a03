import Foundation
import GRDB
import KMSCore
import KMSModel
import KMSStorage
import Testing

/// What the file is like, and what happens when it is not what it should be.
@Suite struct DatabaseFileTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Opens and loads; the reason why that fails, or nil.
    private func refusal() -> String? {
        do throws(MetadataStoreError) {
            _ = try SQLiteMetadataStore(path: directory.databasePath).load()
            return nil
        } catch {
            return error.reason
        }
    }

    /// Runs SQL on a file that no store has open.
    private func edit(_ sql: String) throws {
        let database = try DatabaseQueue(path: directory.databasePath)
        try database.writeWithoutTransaction { database in try database.execute(sql: sql) }
        try database.close()
    }

    @Test func `Commits are logged, synced and checked`() throws {
        let store = try directory.open()
        let pragmas = try store.database.read { database in
            try ["journal_mode", "synchronous", "foreign_keys", "trusted_schema"].map { name in
                try String.fetchOne(database, sql: "SELECT CAST(\(name) AS TEXT) FROM pragma_\(name)")
            }
        }
        #expect(pragmas == ["wal", "2", "1", "0"])
    }

    @Test func `Every table is strict`() throws {
        let store = try directory.open()
        let loose = try store.database.read { database in
            try String.fetchAll(
                database,
                sql: """
                    SELECT name FROM pragma_table_list
                    WHERE schema = 'main' AND type = 'table' AND NOT strict
                        AND name NOT IN ('sqlite_schema', 'grdb_migrations')
                    """
            )
        }
        #expect(loose.isEmpty)
    }

    @Test func `Only the owner may read the file and its log`() throws {
        let store = try directory.open()
        try store.commit([.putKey(makeKey())])
        for ending in ["", "-wal", "-shm"] {
            let attributes = try FileManager.default.attributesOfItem(atPath: directory.databasePath + ending)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    @Test func `A file that a newer version wrote is refused and left as it is`() throws {
        _ = try directory.open()
        try edit("INSERT INTO grdb_migrations (identifier) VALUES ('v999')")
        #expect(refusal()?.contains("a newer version of Strongroom has written it") == true)
        #expect(refusal()?.contains("schema versions up to 8 only") == true)
    }

    @Test func `A database of another application is refused`() throws {
        try edit("CREATE TABLE notes (text)")
        #expect(refusal()?.contains("database of another application") == true)
    }

    @Test func `A file that is not a database is refused`() throws {
        try Data("These are no pages. ".utf8 + [UInt8](repeating: 65, count: 8192))
            .write(to: URL(filePath: directory.databasePath))
        #expect(refusal()?.contains("is not an SQLite database") == true)
    }

    @Test func `A damaged file is refused, wherever the damage is`() throws {
        let store = try directory.open()
        try store.commit((0..<300).map { .putKey(makeKey("key-\($0)", description: .odd)) })
        try store.database.close()
        let url = URL(filePath: directory.databasePath)
        let intact = try Data(contentsOf: url)
        let pageSize = 4096
        #expect(intact.count > 20 * pageSize)
        var refusals = 0
        for page in 1..<(intact.count / pageSize) {
            var damaged = intact
            damaged.replaceSubrange(page * pageSize..<page * pageSize + 512, with: [UInt8](repeating: 0xA5, count: 512))
            try damaged.write(to: url)
            if let reason = refusal() {
                refusals += 1
                #expect(reason.contains("damaged") || reason.contains("row"))
            }
        }
        // A page that holds nothing may be damaged without harm; there are few of them.
        #expect(refusals > intact.count / pageSize / 2)
        try intact.write(to: url)
        #expect(refusal() == nil)
    }

    @Test func `A file that was cut off is refused`() throws {
        let store = try directory.open()
        try store.commit((0..<300).map { .putKey(makeKey("key-\($0)")) })
        try store.database.close()
        let url = URL(filePath: directory.databasePath)
        try Data(contentsOf: url).prefix(10 * 4096).write(to: url)
        #expect(refusal()?.contains("damaged") == true)
    }

    @Test(arguments: [
        ("UPDATE keys SET key_spec = 'LATTICE_9000'", "000000000000/us-east-1/key-0: key_spec is \"LATTICE_9000\""),
        ("UPDATE keys SET key_usage = ''", "key_usage is \"\""),
        ("UPDATE keys SET origin = 'MARS'", "origin is \"MARS\""),
        ("UPDATE keys SET creation_date = 9e99", "creation_date is not within the years 0 to 9999"),
        ("UPDATE keys SET description = CAST(x'FF' AS TEXT)", "description is not UTF-8"),
        ("DELETE FROM key_materials", "key-0: id has no key material"),
        ("UPDATE key_materials SET backing_key_spec = 'X'", "key-0/0/"),
        ("INSERT INTO settings (name, value) VALUES ('mood', x'00')", "row mood: name is \"mood\""),
        (
            "INSERT INTO intents VALUES (zeroblob(16), 1, 'paint', 'software', NULL, '', 0, x'')",
            "00000000000000000000000000000000: kind is \"paint\""
        ),
    ])
    func `A row that this version does not understand is named`(sql: String, finding: String) throws {
        try directory.open().commit([.putKey(makeKey("key-0"))])
        try edit(sql)
        let reason = try #require(refusal())
        #expect(reason.contains(finding))
        #expect(reason.hasPrefix("cannot read the metadata in \(directory.path)"))
    }

    @Test func `A full disk refuses the commit, keeps what was there, and passes`() throws {
        let store = try directory.open()
        let key = makeKey()
        try store.commit([.putKey(key)])
        let pages = try store.database.read { database in try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0 }
        // SQLite reports the limit of its own as it reports the disk's: SQLITE_FULL.
        try limitPages(of: store, to: pages)
        let large = makeKey(description: Text(String(repeating: "x", count: 100_000)))
        let error = #expect(throws: MetadataStoreError.self) {
            try store.commit([.putSetting(.clockOffset, [1]), .putKey(large)])
        }
        #expect(error?.reason.contains("the disk is full") == true)
        #expect(try store.load().keys == [key])
        #expect(try store.load().settings.isEmpty)
        try limitPages(of: store, to: 1_000_000)
        try store.commit([.putKey(large)])
        #expect(try store.load().keys.count == 2)
    }

    private func limitPages(of store: SQLiteMetadataStore, to count: Int) throws {
        try store.database.writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA max_page_count = \(count)")
        }
    }

    @Test func `A file that cannot be written refuses the commit`() throws {
        let store = try directory.open()
        try store.database.writeWithoutTransaction { database in try database.execute(sql: "PRAGMA query_only = 1") }
        let error = #expect(throws: MetadataStoreError.self) { try store.commit([.putKey(makeKey())]) }
        #expect(error?.reason.contains("read-only") == true)
    }

    @Test func `A directory that is not there is named`() throws {
        let path = directory.path + "/missing/" + SQLiteMetadataStore.fileName
        let error = #expect(throws: MetadataStoreError.self) { try SQLiteMetadataStore(path: path) }
        #expect(error?.reason == "cannot create \(path): its directory does not exist")
    }

    @Test func `Ten thousand keys load`() throws {
        let keys = (0..<10_000).map { index in
            makeKey("key-\(10_000 + index)", description: .odd, tags: [Tag(tagKey: "n", tagValue: "\(index)")])
        }
        let clock = ContinuousClock()
        let writing = try clock.measure { try directory.open().commit(keys.map { .putKey($0) }) }
        var loaded: [KMSKey] = []
        let loading = try clock.measure { loaded = try directory.open().load().keys }
        #expect(loaded == keys)
        print("10,000 keys: one commit \(writing), opening and loading \(loading)")
    }
}
