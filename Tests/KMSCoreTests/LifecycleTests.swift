import KMSCore
import KMSModel
import KMSStorage
import KeyStores
import Testing

/// What outlives a request: deletion dates, tombstones, interruptions. On the real database.
struct LifecycleTests {
    private static let day = 86_400.0

    @Test func `A key is gone when its date comes, with aliases and material`() async throws {
        let kms = try await Installation()
        let key = try await kms.createKey()
        let blob = try await kms.service.encrypt(
            .init(keyId: Text(key), plaintext: secret("x")), kms.context
        ).ciphertextBlob
        try await kms.service.createAlias(.init(aliasName: "alias/a", targetKeyId: Text(key)), kms.context)
        _ = try await kms.service.scheduleKeyDeletion(
            .init(keyId: Text(key), pendingWindowInDays: 7), kms.context)

        _ = try await kms.service.advanceClock(bySeconds: 7 * Self.day - 60)
        #expect(try await kms.state(of: key) == .pendingDeletion)
        _ = try await kms.service.advanceClock(bySeconds: 120)
        #expect(await refusal { try await kms.state(of: key) }?.code == .notFound)
        #expect(try await kms.service.listAliases(.init(), kms.context).aliases?.isEmpty == true)
        let answer = await refusal { try await kms.service.decrypt(.init(ciphertextBlob: blob), kms.context) }
        #expect(answer?.code == .accessDenied)

        let stored = try kms.store.load()
        #expect(stored.keys.isEmpty && stored.aliases.isEmpty && stored.intents.isEmpty)
    }

    @Test func `A deletion that was cancelled in time does not happen`() async throws {
        let kms = try await Installation()
        let key = try await kms.createKey()
        _ = try await kms.service.scheduleKeyDeletion(.init(keyId: Text(key), pendingWindowInDays: 7), kms.context)
        _ = try await kms.service.cancelKeyDeletion(.init(keyId: Text(key)), kms.context)
        _ = try await kms.service.advanceClock(bySeconds: 40 * Self.day)
        #expect(try await kms.state(of: key) == .disabled)
    }

    @Test func `Domain time survives a restart`() async throws {
        let kms = try await Installation()
        let before = try await kms.service.advanceClock(bySeconds: 100 * Self.day)
        let again = try await Installation(at: kms.directory)
        #expect(try await again.service.advanceClock(bySeconds: 0) - before < 60)
        #expect(try await again.service.advanceClock(bySeconds: 0) >= before)
    }

    @Test(arguments: [-1.0, .nan, .infinity, 1e300])
    func `The test clock takes no absurd number`(seconds: Double) async throws {
        let kms = try await Installation()
        #expect(await refusal { try await kms.service.advanceClock(bySeconds: seconds) }?.code == .validation)
    }

    @Test(arguments: [Intent.Kind.generate, .destroy])
    func `What an interruption left behind is finished at the next start`(kind: Intent.Kind) async throws {
        let kms = try await Installation()
        let key = try await kms.createKey()
        var generator = SystemRandomNumberGenerator()
        try kms.store.commit([
            .putIntent(
                Intent(
                    kind: kind, backingKeyID: BackingKeyID(randomFrom: &generator), placement: .software,
                    keyARN: "arn:aws:kms:eu-central-1:111111111111:key/x",
                    creationDate: Timestamp(secondsSinceEpoch: 1_700_000_000)))
        ])
        let again = try await Installation(at: kms.directory)
        #expect(try again.store.load().intents.isEmpty)
        #expect(try await again.state(of: key) == .enabled)
    }

    @Test func `Keys and ciphertexts outlive a restart`() async throws {
        let kms = try await Installation()
        let key = try await kms.createKey("the first")
        let blob = try await kms.service.encrypt(
            .init(keyId: Text(key), plaintext: secret("hello"), encryptionContext: ["a": "b"]), kms.context
        ).ciphertextBlob
        let again = try await Installation(at: kms.directory)
        let response = try await again.service.decrypt(
            .init(ciphertextBlob: blob, encryptionContext: ["a": "b"]), kms.context)
        #expect(text(response.plaintext) == "hello")
    }

    @Test func `Reset leaves nothing and puts the clock back`() async throws {
        let kms = try await Installation()
        let key = try await kms.createKey()
        try await kms.service.createAlias(.init(aliasName: "alias/a", targetKeyId: Text(key)), kms.context)
        let later = try await kms.service.advanceClock(bySeconds: 50 * Self.day)
        try await kms.service.reset()
        let stored = try kms.store.load()
        #expect(stored.keys.isEmpty && stored.aliases.isEmpty && stored.intents.isEmpty)
        #expect(try await kms.service.advanceClock(bySeconds: 0) < later)
    }

    @Test func `Changes at the same time are all kept`() async throws {
        let kms = try await Installation()
        let key = try await kms.createKey()
        let service = kms.service
        let context = kms.context
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<40 {
                group.addTask {
                    let tag = KMSModel.Tag(tagKey: "tag-\(number)", tagValue: "v")
                    try await service.tagResource(.init(keyId: Text(key), tags: [tag]), context)
                }
            }
            try await group.waitForAll()
        }
        #expect(try kms.store.load().keys.first?.tags.count == 40)
    }
}
