import Foundation
import GRDB
import KMSCore
import KMSModel
import KMSStorage
import KeyStores
import Testing

@Suite struct CommitTests {
    private let directory: TemporaryDirectory
    private let store: SQLiteMetadataStore

    init() throws {
        directory = try TemporaryDirectory()
        store = try directory.open()
    }

    @Test func `A change that fails in the middle leaves nothing of its commit, and the store goes on`() throws {
        let first = makeKey()
        try store.commit([.putKey(first)])
        var changed = first
        changed.description = "changed"
        let duplicate = [Tag(tagKey: "k", tagValue: "1"), Tag(tagKey: "k", tagValue: "2")]
        #expect(throws: MetadataStoreError.self) {
            try store.commit([
                .putKey(changed), .putSetting(.clockOffset, [1]), .putKey(makeKey(tags: duplicate)),
                .putSetting(.lastSeenTime, [1]),
            ])
        }
        let contents = try store.load()
        #expect(contents.keys == [first])
        #expect(contents.settings.isEmpty)

        try store.commit([.putKey(changed)])
        #expect(try store.load().keys == [changed])
    }

    @Test func `References are checked when all changes are made, not before`() throws {
        let keyStore = makeCustomKeyStore()
        let key = makeKey(customKeyStoreID: keyStore.id)
        let alias = makeAlias("alias/a", of: key)
        try store.commit([.putAlias(alias), .putKey(key), .putCustomKeyStore(keyStore)])
        #expect(try store.load().aliases == [alias])

        let dangling: [[MetadataChange]] = [
            [.putAlias(makeAlias("alias/b", of: makeKey()))], [.deleteKey(id: key.id, scope: key.scope)],
            [.deleteCustomKeyStore(id: keyStore.id)],
        ]
        for changes in dangling {
            let error = #expect(throws: MetadataStoreError.self) { try store.commit(changes) }
            #expect(error?.reason.contains("the change contradicts what is stored") == true)
        }
        try store.commit([
            .deleteCustomKeyStore(id: keyStore.id), .deleteKey(id: key.id, scope: key.scope),
            .deleteAlias(name: alias.name, scope: alias.scope),
        ])
        #expect(try store.load().keys.isEmpty)
    }

    @Test func `Deleting what is not there succeeds`() throws {
        try store.commit([
            .deleteKey(id: "x", scope: .home), .deleteAlias(name: "alias/x", scope: .home),
            .deleteCustomKeyStore(id: "cks-x"), .deleteIntent(.fresh()), .putSetting(.clockOffset, nil),
        ])
    }

    @Test func `A name with a NUL is refused instead of being cut`() throws {
        let key = makeKey()
        let error = #expect(throws: MetadataStoreError.self) {
            try store.commit([.putKey(key), .putAlias(makeAlias("alias/a\0b", of: key))])
        }
        #expect(error?.reason.contains("name holds a NUL character") == true)
        #expect(try store.load().keys.isEmpty)
    }

    @Test func `A count beyond what a row can hold is refused`() throws {
        #expect(throws: MetadataStoreError.self) {
            try store.commit([.reserveMessages(materialID: [1], total: UInt64.max)])
        }
    }

    @Test func `A change of a key's description writes one row`() throws {
        var key = makeKey(
            tags: [Tag(tagKey: "a", tagValue: "1"), Tag(tagKey: "b", tagValue: "2")],
            materials: (0..<5).map { _ in makeMaterial(of: "k") }
        )
        try store.commit([.putKey(key)])
        let before = try store.totalChanges()
        key.description = "new"
        try store.commit([.putKey(key)])
        #expect(try store.totalChanges() - before == 1)
    }

    @Test func `Materials and tags are added, changed and removed`() throws {
        var key = makeKey(
            tags: [Tag(tagKey: "a", tagValue: "1"), Tag(tagKey: "b", tagValue: "2")],
            materials: (0..<3).map { _ in makeMaterial(of: "k") }
        )
        try store.commit([.putKey(key)])
        key.tags = [Tag(tagKey: "b", tagValue: "2"), Tag(tagKey: "c", tagValue: ""), Tag(tagKey: "a", tagValue: "1")]
        key.materials[1] = makeMaterial(of: "k")
        key.materials.append(makeMaterial(of: "k"))
        try store.commit([.putKey(key)])
        #expect(try store.load().keys == [key])
        key.tags.removeFirst()
        key.materials.removeLast(2)
        try store.commit([.putKey(key)])
        #expect(try store.load().keys == [key])
    }

    @Test func `Row versions grow with every update`() throws {
        let key = makeKey()
        let alias = makeAlias("alias/a", of: key)
        try store.commit([.putKey(key), .putAlias(alias)])
        try store.commit([.putKey(key), .putAlias(alias), .putSetting(.clockOffset, [1])])
        try store.commit([.putKey(key), .putSetting(.clockOffset, [2])])
        let versions = try store.database.read { database in
            try ["keys", "aliases", "settings"].map { table in
                try Int.fetchOne(database, sql: "SELECT version FROM \(table)")
            }
        }
        #expect(versions == [3, 2, 2])
    }

    @Test func `What was committed is in the files when the process is killed`() throws {
        let key = makeKey()
        try store.commit([.putKey(key)])
        // A killed process leaves the files as they are now. The shared memory file is rebuilt from the log.
        let copy = try TemporaryDirectory()
        for ending in ["", "-wal"] {
            let (source, target) = (directory.databasePath + ending, copy.databasePath + ending)
            try FileManager.default.copyItem(atPath: source, toPath: target)
        }
        #expect(try copy.open().load().keys == [key])
    }
}
