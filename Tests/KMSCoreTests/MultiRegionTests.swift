import KMSCore
import KMSModel
import KMSStorage
import KeyStores
import Testing

/// Keys that are in several Regions with one id and one material. On the real database, in software.
struct MultiRegionTests {
    private static let day = 86_400.0
    private let home = "eu-central-1"
    private let away = "us-east-1"

    private func context(_ region: String) -> RequestContext { RequestContext(caller: People.alice, region: region) }

    private func primary(_ kms: Installation, replicatedTo regions: [String] = []) async throws -> Text {
        let key = try #require(
            try await kms.service.createKey(.init(multiRegion: true), context(home)).keyMetadata?.keyId)
        for region in regions {
            _ = try await kms.service.replicateKey(.init(keyId: key, replicaRegion: Text(region)), context(home))
        }
        return key
    }

    private func metadata(_ kms: Installation, _ key: Text, _ region: String) async throws -> KeyMetadata {
        try #require(try await kms.service.describeKey(.init(keyId: key), context(region)).keyMetadata)
    }

    private func encrypt(_ kms: Installation, _ key: Text, _ region: String) async throws -> [UInt8] {
        try #require(
            try await kms.service.encrypt(.init(keyId: key, plaintext: secret("hello")), context(region))
                .ciphertextBlob)
    }

    private func decrypt(_ kms: Installation, _ blob: [UInt8], _ region: String) async throws -> String? {
        text(try await kms.service.decrypt(.init(ciphertextBlob: blob), context(region)).plaintext)
    }

    @Test func `What one Region encrypts the other decrypts, also after rotation`() async throws {
        let kms = try await Installation()
        let key = try await primary(kms, replicatedTo: [away])
        let old = try await encrypt(kms, key, home)
        #expect(try await decrypt(kms, old, away) == "hello")
        _ = try await kms.service.rotateKeyOnDemand(.init(keyId: key), context(home))
        let new = try await encrypt(kms, key, away)
        for region in [home, away] {
            for blob in [old, new] { #expect(try await decrypt(kms, blob, region) == "hello") }
        }
        let ids = [
            try await metadata(kms, key, home).currentKeyMaterialId,
            try await metadata(kms, key, away).currentKeyMaterialId,
        ]
        #expect(ids[0] == ids[1] && ids[0] != nil)
    }

    @Test func `The answer says Creating and the replica is there`() async throws {
        let kms = try await Installation()
        let key = try await primary(kms)
        let answer = try await kms.service.replicateKey(
            .init(
                keyId: key, replicaRegion: Text(away), description: "there",
                tags: [Tag(tagKey: "a", tagValue: "b")]), context(home))
        let replica = try #require(answer.replicaKeyMetadata)
        #expect(replica.keyState == .creating && replica.enabled == false && replica.currentKeyMaterialId == nil)
        #expect(replica.multiRegionConfiguration?.multiRegionKeyType == .replica)
        #expect(answer.replicaTags == [Tag(tagKey: "a", tagValue: "b")])
        let described = try await metadata(kms, key, away)
        #expect(described.keyState == .enabled && described.description == "there")
        let configuration = try #require(try await metadata(kms, key, home).multiRegionConfiguration)
        #expect(configuration.multiRegionKeyType == .primary)
        #expect(configuration.replicaKeys?.map(\.region) == [Text(away)])
    }

    @Test func `Only a primary is replicated, once for each Region, within its partition`() async throws {
        let kms = try await Installation()
        let key = try await primary(kms, replicatedTo: [away])
        func code(_ key: Text, to region: String, from: String) async -> KMSErrorCode? {
            await refusal {
                try await kms.service.replicateKey(
                    .init(keyId: key, replicaRegion: Text(region)), context(from))
            }?.code
        }
        #expect(await code(key, to: "eu-west-1", from: away) == .unsupportedOperation)
        #expect(await code(key, to: away, from: home) == .alreadyExists)
        #expect(await code(key, to: home, from: home) == .alreadyExists)
        #expect(await code(key, to: "cn-north-1", from: home) == .validation)
        let single = Text(try await kms.createKey())
        #expect(await code(single, to: away, from: home) == .unsupportedOperation)
    }

    @Test func `The primary moves, and with it what only a primary may do`() async throws {
        let kms = try await Installation()
        let key = try await primary(kms, replicatedTo: [away, "eu-west-1"])
        try await kms.service.enableKeyRotation(.init(keyId: key), context(home))
        try await kms.service.updatePrimaryRegion(.init(keyId: key, primaryRegion: Text(away)), context(home))
        for region in [home, away, "eu-west-1"] {
            let configuration = try await metadata(kms, key, region).multiRegionConfiguration
            #expect(configuration?.primaryKey?.region == Text(away))
            #expect(configuration?.replicaKeys?.map(\.region) == [Text(home), "eu-west-1"])
            let status = try await kms.service.getKeyRotationStatus(.init(keyId: key), context(region))
            #expect(status.keyRotationEnabled == true)
        }
        let answer = await refusal { try await kms.service.rotateKeyOnDemand(.init(keyId: key), context(home)) }
        #expect(answer?.code == .unsupportedOperation)
        _ = try await kms.service.rotateKeyOnDemand(.init(keyId: key), context(away))
        let missing = await refusal {
            try await kms.service.updatePrimaryRegion(.init(keyId: key, primaryRegion: "sa-east-1"), context(away))
        }
        #expect(missing?.code == .notFound)
    }

    @Test func `A rotation that is due happens once, in all Regions`() async throws {
        let kms = try await Installation()
        let key = try await primary(kms, replicatedTo: [away])
        try await kms.service.enableKeyRotation(.init(keyId: key, rotationPeriodInDays: 90), context(home))
        _ = try await kms.service.advanceClock(bySeconds: 91 * Self.day)
        for region in [home, away] {
            let rotations = try await kms.service.listKeyRotations(.init(keyId: key), context(region)).rotations
            #expect(rotations?.map { $0.rotationType } == [.automatic])
        }
    }

    @Test func `A replica that goes takes no material with it, and the last Region takes all`() async throws {
        let kms = try await Installation()
        let key = try await primary(kms, replicatedTo: [away])
        let blob = try await encrypt(kms, key, home)
        _ = try await kms.service.scheduleKeyDeletion(.init(keyId: key, pendingWindowInDays: 7), context(away))
        let scheduled = try await kms.service.scheduleKeyDeletion(
            .init(keyId: key, pendingWindowInDays: 10), context(home))
        #expect(scheduled.keyState == .pendingReplicaDeletion && scheduled.deletionDate == nil)
        #expect(try await metadata(kms, key, home).pendingDeletionWindowInDays == 10)

        _ = try await kms.service.advanceClock(bySeconds: 8 * Self.day)
        #expect(await refusal { try await metadata(kms, key, away) }?.code == .notFound)
        #expect(try await metadata(kms, key, home).keyState == .pendingDeletion)
        _ = try await kms.service.cancelKeyDeletion(.init(keyId: key), context(home))
        try await kms.service.enableKey(.init(keyId: key), context(home))
        #expect(try await decrypt(kms, blob, home) == "hello")
        #expect(try kms.store.load().intents.isEmpty)

        _ = try await kms.service.scheduleKeyDeletion(.init(keyId: key, pendingWindowInDays: 7), context(home))
        _ = try await kms.service.advanceClock(bySeconds: 8 * Self.day)
        #expect(try kms.store.load().keys.isEmpty)
    }

    @Test func `A deletion that waits for replicas can be cancelled`() async throws {
        let kms = try await Installation()
        let key = try await primary(kms, replicatedTo: [away])
        _ = try await kms.service.scheduleKeyDeletion(.init(keyId: key), context(home))
        let again = try await Installation(at: kms.directory)
        #expect(try await metadata(again, key, home).keyState == .pendingReplicaDeletion)
        let answer = await refusal { try await self.encrypt(again, key, home) }
        #expect(answer?.message?.hasSuffix(" is pending replica deletion.") == true)
        _ = try await again.service.cancelKeyDeletion(.init(keyId: key), context(home))
        #expect(try await metadata(again, key, home).keyState == .disabled)
    }
}
