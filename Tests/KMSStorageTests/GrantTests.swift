import GRDB
import KMSCore
import KMSModel
import KMSPolicy
import KMSStorage
import Testing

/// Grants and key policies in the database.
@Suite struct GrantTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Commits with one store and loads with another one, opened after the first is gone.
    private func contents(after changes: [MetadataChange]) throws -> MetadataContents {
        try directory.open().commit(changes)
        return try directory.open().load()
    }

    @Test func `A grant keeps every member, and its texts their bytes`() throws {
        let key = makeKey()
        // The same letter composed and decomposed: two names.
        let context: [Text: Text] = ["\u{E9}": .odd, "e\u{301}": "", "\0": "a\0b", "\"\\\n\u{7F}": "\u{1F468}"]
        let grant = KeyGrant(
            scope: key.scope, keyID: key.id,
            grant: Grant(
                id: String(repeating: "0a", count: 32), name: .odd, granteePrincipal: .odd, retiringPrincipal: .odd,
                operations: [.reEncryptTo, .decrypt, .createGrant], encryptionContextEquals: context,
                encryptionContextSubset: ["a": "b"], issuingAccount: .odd, creationDate: .sample
            )
        )
        let loaded = try contents(after: [.putKey(key), .putGrant(grant)]).grants
        #expect(loaded == [grant])
        #expect(loaded.first?.grant.encryptionContextEquals?.count == 4)
    }

    @Test(
        arguments: [
            (equals: nil, subset: nil), (equals: [:], subset: nil), (equals: nil, subset: [:]),
            (equals: [:], subset: [:]),
            (equals: ["k": "v"], subset: nil), (equals: nil, subset: ["": ""]),
        ] as [(equals: [Text: Text]?, subset: [Text: Text]?)])
    func `No constraint, an empty one and one with pairs stay different`(
        equals: [Text: Text]?, subset: [Text: Text]?
    ) throws {
        let key = makeKey()
        let grant = makeGrant(on: key, equals: equals, subset: subset)
        let loaded = try #require(try contents(after: [.putKey(key), .putGrant(grant)]).grants.first).grant
        #expect(loaded == grant.grant)
        #expect((loaded.encryptionContextEquals == nil) == (equals == nil))
        #expect((loaded.encryptionContextSubset == nil) == (subset == nil))
    }

    @Test func `Every operation that a grant can name has a row`() throws {
        let key = makeKey()
        let grant = makeGrant(on: key, operations: GrantOperation.allCases)
        #expect(try contents(after: [.putKey(key), .putGrant(grant)]).grants == [grant])
    }

    @Test func `Grants are deleted one by one, and all of them with their key`() throws {
        let id = "mrk-0123456789abcdef0123456789abcdef"
        let (near, far) = (makeKey(id, scope: .home), makeKey(id, scope: .abroad))
        let grants = (0..<3).map { _ in makeGrant(on: near) }
        let kept = makeGrant(on: far, id: grants[0].grant.id)
        let before = try contents(
            after: [.putKey(near), .putKey(far)] + (grants + [kept]).map { .putGrant($0) }
                + [.deleteGrant(id: grants[0].grant.id, keyID: id, scope: .home)]
        )
        #expect(Set(before.grants) == Set(grants.dropFirst() + [kept]))
        #expect(try contents(after: [.deleteKey(id: id, scope: .home)]).grants == [kept])
    }

    @Test func `A grant is replaced by its id, and its version grows`() throws {
        let key = makeKey()
        let first = makeGrant(on: key, subset: ["a": "b"])
        let second = makeGrant(on: key, id: first.grant.id, operations: [.encrypt])
        let store = try directory.open()
        try store.commit([.putKey(key), .putGrant(first)])
        try store.commit([.putGrant(second)])
        #expect(try store.load().grants == [second])
        let version = try store.database.read { database in
            try Int.fetchOne(database, sql: "SELECT version FROM grants")
        }
        #expect(version == 2)
    }

    @Test func `A grant may be written before its key in one commit, but not without it`() throws {
        let key = makeKey()
        let store = try directory.open()
        #expect(throws: MetadataStoreError.self) { try store.commit([.putGrant(makeGrant(on: key))]) }
        #expect(try store.load().grants.isEmpty)
        let grant = makeGrant(on: key)
        try store.commit([.putGrant(grant), .putKey(key)])
        #expect(try store.load().grants == [grant])
        try store.commit([.deleteGrant(id: "not there", keyID: key.id, scope: key.scope)])
    }

    @Test func `A change of a key leaves its grants, and a grant writes one row`() throws {
        var key = makeKey()
        let grants = (0..<5).map { _ in makeGrant(on: key) }
        let store = try directory.open()
        try store.commit([.putKey(key)] + grants.map { .putGrant($0) })
        let before = try store.totalChanges()
        key.description = "new"
        try store.commit([.putKey(key), .putGrant(grants[0])])
        #expect(try store.totalChanges() - before == 2)
        #expect(Set(try store.load().grants) == Set(grants))
    }

    @Test func `A key policy keeps its text, byte by byte, and can be taken back`() throws {
        let text: Text = "{ \"Version\":\"2012-10-17\",\t\"Id\":\"\u{E9}\",\n\"Statement\":[] }"
        var key = makeKey()
        key.policy = KeyPolicy(stored: text)
        let stored = try contents(after: [.putKey(key)]).keys
        #expect(stored == [key])
        #expect(stored.first?.policy?.text == text)
        key.policy = nil
        let without = try contents(after: [.putKey(key)]).keys
        #expect(without.count == 1 && without.first?.policy == nil)
    }

    @Test func `A policy that cannot be read is loaded, and has no document`() throws {
        var key = makeKey()
        key.policy = KeyPolicy(stored: "of another version \0")
        let policy = try #require(try contents(after: [.putKey(key)]).keys.first?.policy)
        #expect(policy.text == "of another version \0")
        #expect(policy.document == nil)
    }

    @Test(arguments: [
        ("UPDATE grants SET operations = 'Decrypt Teleport'", "operations is \"Teleport\""),
        ("UPDATE grants SET operations = 'Decrypt '", "operations is \"\""),
        ("UPDATE grants SET constraints = '{\"SourceArn\":\"x\"}'", "constraints holds a grant constraint"),
        ("UPDATE grants SET constraints = '{\"EncryptionContextSubset\":{\"a\":1}}'", "constraints holds a grant"),
        ("UPDATE grants SET constraints = '[]'", "constraints holds a grant constraint"),
        ("UPDATE grants SET creation_date = 9e99", "creation_date is not within the years 0 to 9999"),
        ("UPDATE grants SET grantee_principal = CAST(x'FF' AS TEXT)", "grantee_principal is not UTF-8"),
    ])
    func `A grant that this version does not understand is named`(sql: String, finding: String) throws {
        let key = makeKey("key-0")
        let store = try directory.open()
        try store.commit([.putKey(key), .putGrant(makeGrant(on: key, id: "grant-0"))])
        try store.database.write { database in try database.execute(sql: sql) }
        let error = #expect(throws: MetadataStoreError.self) { try store.load() }
        #expect(error?.reason.contains("table grants, row 000000000000/us-east-1/key-0/grant-0: " + finding) == true)
    }

    @Test func `Fifty thousand grants on one key load, and one more is one small commit`() throws {
        let key = makeKey()
        let grants = (0..<50_000).map { index in
            makeGrant(on: key, subset: ["tenant": "\(index)", "purpose": "storage"])
        }
        let clock = ContinuousClock()
        let store = try directory.open()
        let writing = try clock.measure { try store.commit([.putKey(key)] + grants.map { .putGrant($0) }) }
        var loaded: [KeyGrant] = []
        let loading = try clock.measure { loaded = try directory.open().load().grants }
        #expect(Set(loaded) == Set(grants))
        let one = try clock.measure {
            for _ in 0..<100 { try store.commit([.putGrant(makeGrant(on: key))]) }
        }
        print("50,000 grants: one commit \(writing), opening and loading \(loading), one more \(one / 100)")
    }
}
