import KMSCore
import KMSModel
import KMSStorage
import KeyStores
import Testing

/// What is committed is what the next process loads.
@Suite struct RoundTripTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// Commits with one store and loads with another one, opened after the first is gone.
    private func contents(after changes: [MetadataChange]) throws -> MetadataContents {
        try directory.open().commit(changes)
        return try directory.open().load()
    }

    @Test func `A new file is empty`() throws {
        let contents = try contents(after: [])
        #expect(contents.keys.isEmpty && contents.aliases.isEmpty && contents.customKeyStores.isEmpty)
        #expect(contents.intents.isEmpty && contents.settings.isEmpty && contents.refusedPINs.isEmpty)
        #expect(contents.messageReservations.isEmpty)
    }

    @Test func `A key keeps every member, its tags their order and its texts their bytes`() throws {
        let keyStore = makeCustomKeyStore()
        let id = "mrk-0123456789abcdef0123456789abcdef"
        let key = makeKey(
            id, description: .odd, status: .pendingDeletion(deletionDate: .latest),
            tags: [
                Tag(tagKey: "z", tagValue: .odd), Tag(tagKey: "\u{E9}", tagValue: ""),
                Tag(tagKey: "e\u{301}", tagValue: "second spelling"), Tag(tagKey: "a", tagValue: "\0"),
            ],
            materials: [
                makeMaterial(of: id, reference: []),
                makeMaterial(of: id, placement: .device(clusterID: "cluster-abcdefghijk")),
                makeMaterial(of: id, reference: [UInt8](repeating: 0, count: 100_000)),
            ],
            customKeyStoreID: keyStore.id
        )
        let contents = try contents(after: [.putKey(key), .putCustomKeyStore(keyStore)])
        #expect(contents.keys == [key])
        #expect(contents.customKeyStores == [keyStore])
        #expect(contents.keys.first?.description == .odd)
        #expect(contents.keys.first?.description.string.utf8.count == Text.odd.string.utf8.count)
    }

    @Test(arguments: [KeyMaterial.Adoption.leavesObject, .destroysObject])
    func `What stands for an adopted object is kept, and so is the tombstone of one`(
        _ adoption: KeyMaterial.Adoption
    ) throws {
        let made = makeMaterial(of: "k", reference: [1, 2, 3], placement: .device(clusterID: "cluster-abcdefghijk"))
        let material = KeyMaterial(
            backingKey: made.backingKey, placement: made.placement, materialID: made.materialID,
            creationDate: made.creationDate, adoption: adoption)
        let key = makeKey(materials: [material])
        let intent = Intent(
            kind: .destroy, backingKeyID: made.backingKey.id, placement: made.placement, keyARN: key.arn,
            creationDate: .sample, adoptedReference: [1, 2, 3])
        let contents = try contents(after: [.putKey(key), .putIntent(intent)])
        #expect(contents.keys == [key] && contents.intents == [intent])
    }

    @Test(arguments: [
        KeyStatus.enabled, .disabled, .pendingDeletion(deletionDate: .sample), .pendingReplicaDeletion(windowDays: 30),
    ])
    func `A key keeps its status`(status: KeyStatus) throws {
        let key = makeKey(status: status)
        #expect(try contents(after: [.putKey(key)]).keys == [key])
    }

    @Test(arguments: KeySpec.allCases) func `Every key spec has a row`(keySpec: KeySpec) throws {
        let sample = makeKey()
        let key = KMSKey(
            id: sample.id, scope: sample.scope, creationDate: .sample, keySpec: keySpec, keyUsage: .signVerify,
            origin: .awsKms, customKeyStoreID: nil, description: "", status: .enabled, tags: [],
            placement: .software, materials: sample.materials
        )
        #expect(try contents(after: [.putKey(key)]).keys == [key])
    }

    @Test func `The same key id may stand in two Regions, and each deletion takes one`() throws {
        let id = "mrk-0123456789abcdef0123456789abcdef"
        let tags = [Tag(tagKey: "k", tagValue: "v")]
        let (near, far) = (makeKey(id, scope: .home, tags: tags), makeKey(id, scope: .abroad, tags: tags))
        let contents = try contents(after: [.putKey(near), .putKey(far), .deleteKey(id: id, scope: .home)])
        #expect(contents.keys == [far])
    }

    @Test func `The last use of a key outlives changes of the key and goes with it`() throws {
        var key = makeKey()
        let scope = key.scope
        func use(_ operation: KeyLastUsageTrackingOperation) -> KeyLastUse {
            KeyLastUse(
                scope: scope, keyID: key.id, operation: operation, time: .sample, eventID: "event", requestID: "request"
            )
        }
        #expect(try contents(after: [.putKey(key), .putLastUse(use(.encrypt))]).lastUses == [use(.encrypt)])
        key.description = "changed"
        #expect(try contents(after: [.putLastUse(use(.sign)), .putKey(key)]).lastUses == [use(.sign)])
        #expect(try contents(after: [.deleteKey(id: key.id, scope: scope)]).lastUses.isEmpty)
    }

    @Test(arguments: [
        CustomKeyStore.Connection.disconnected, .connected, .failed(.invalidCredentials), .failed(.userLockedOut),
    ])
    func `A custom key store keeps its connection`(connection: CustomKeyStore.Connection) throws {
        var keyStore = makeCustomKeyStore()
        let first = keyStore
        keyStore.connection = connection
        keyStore.name = "renamed"
        keyStore.sealedPassword = []
        #expect(
            try contents(after: [.putCustomKeyStore(first), .putCustomKeyStore(keyStore)]).customKeyStores
                == [keyStore]
        )
    }

    @Test func `An alias moves to another key and is deleted`() throws {
        let keys = [makeKey(), makeKey()]
        var moved = makeAlias("alias/moved", of: keys[0])
        let deleted = makeAlias("alias/Moved", of: keys[0])
        let puts: [MetadataChange] = [
            .putKey(keys[0]), .putKey(keys[1]), .putAlias(moved), .putAlias(deleted),
        ]
        moved.targetKeyID = keys[1].id
        moved.lastUpdatedDate = .latest
        let contents = try contents(
            after: puts + [.putAlias(moved), .deleteAlias(name: deleted.name, scope: deleted.scope)]
        )
        #expect(contents.aliases == [moved])
    }

    @Test(arguments: [Intent.Kind.generate, .destroy], [Placement.software, .device(clusterID: "cluster-a")])
    func `An intent stays until it is deleted`(kind: Intent.Kind, placement: Placement) throws {
        let intent = Intent(
            kind: kind, backingKeyID: .fresh(), placement: placement, keyARN: makeKey().arn, creationDate: .sample
        )
        #expect(try contents(after: [.putIntent(intent)]).intents == [intent])
        #expect(try contents(after: [.deleteIntent(intent.backingKeyID)]).intents.isEmpty)
    }

    @Test func `Settings are replaced and removed`() throws {
        let changes: [MetadataChange] = [
            .putSetting(.serverSecret, [0, 255]), .putSetting(.clockOffset, [1]), .putSetting(.clockOffset, []),
            .putSetting(.lastSeenTime, [2]), .putSetting(.lastSeenTime, nil),
        ]
        #expect(try contents(after: changes).settings == [.serverSecret: [0, 255], .clockOffset: []])
    }

    @Test func `Refused PINs are sets by device`() throws {
        let changes: [MetadataChange] = [
            .refusePIN(clusterID: "a", keyedHash: [1]), .refusePIN(clusterID: "a", keyedHash: [1]),
            .refusePIN(clusterID: "a", keyedHash: [2, 0]), .refusePIN(clusterID: "b", keyedHash: [1]),
            .refusePIN(clusterID: "a", keyedHash: [3]), .forgetPIN(clusterID: "a", keyedHash: [3]),
            .forgetPIN(clusterID: "a", keyedHash: [4]), .forgetPIN(clusterID: "c", keyedHash: [1]),
        ]
        #expect(try contents(after: changes).refusedPINs == ["a": [[1], [2, 0]], "b": [[1]]])
    }

    @Test func `A key of Origin EXTERNAL keeps where its material goes, before it has any and afterwards`() throws {
        var key = makeKey(materials: [], origin: .external, placement: .device(clusterID: "cluster-abcdefghijk"))
        #expect(try contents(after: [.putKey(key)]).keys == [key])
        var (old, current, pending) = (makeMaterial(of: key.id), makeMaterial(of: key.id), makeMaterial(of: key.id))
        old.state = .nonCurrent
        old.importDetails = KeyMaterial.ImportDetails(state: .pendingImport, description: nil, validTo: nil)
        current.rotation = KeyMaterial.Rotation(date: .sample, type: .onDemand)
        current.importDetails = KeyMaterial.ImportDetails(state: .imported, description: .odd, validTo: .latest)
        pending.state = .pendingRotation
        pending.importDetails = KeyMaterial.ImportDetails(state: .imported, description: "", validTo: nil)
        key.materials = [old, current, pending]
        #expect(try contents(after: [.putKey(key)]).keys == [key])
        key.materials[2].rotation = KeyMaterial.Rotation(date: .sample, type: .automatic)
        key.materials[1].importDetails?.validTo = nil
        #expect(try contents(after: [.putKey(key)]).keys == [key])
    }

    @Test func `A key keeps its rotation period, and that it has none`() throws {
        var key = makeKey()
        key.automaticRotation = AutomaticRotation(periodInDays: 2560, nextDate: .sample)
        #expect(try contents(after: [.putKey(key)]).keys == [key])
        key.automaticRotation = nil
        #expect(try contents(after: [.putKey(key)]).keys == [key])
    }

    @Test func `Import parameters come, go, and go with their key`() throws {
        let (kept, gone) = (makeKey(materials: [], origin: .external), makeKey(materials: [], origin: .external))
        let first = makeImportParameters(for: kept)
        let second = makeImportParameters(for: kept, placement: .device(clusterID: "cluster-abcdefghijk"))
        let third = makeImportParameters(for: gone)
        let before = try contents(after: [
            .putKey(kept), .putKey(gone), .putImportParameters(first), .putImportParameters(second),
            .putImportParameters(third),
        ])
        #expect(Set(before.importParameters) == [first, second, third])
        let after = try contents(after: [
            .deleteImportParameters(first.wrappingKey.id), .deleteKey(id: gone.id, scope: gone.scope),
        ])
        #expect(after.importParameters == [second])
    }

    @Test func `The replicas of a multi-Region key keep the message count of their material`() throws {
        let id = "mrk-0123456789abcdef0123456789abcdef"
        let material = makeMaterial(of: id)
        let near = makeKey(id, materials: [material])
        let far = makeKey(id, scope: .abroad, materials: [material])
        let after = try contents(after: [
            .putKey(near), .putKey(far), .reserveMessages(materialID: material.materialID, total: 5),
            .deleteKey(id: id, scope: near.scope),
        ])
        #expect(after.messageReservations == [material.materialID: 5])
    }

    @Test func `Message reservations grow, and go with their key`() throws {
        let (kept, gone) = (makeKey(), makeKey())
        let (keptID, goneID) = (kept.materials[0].materialID, gone.materials[0].materialID)
        let before = try contents(after: [
            .putKey(kept), .putKey(gone), .reserveMessages(materialID: keptID, total: 1),
            .reserveMessages(materialID: keptID, total: 1 << 32),
            .reserveMessages(materialID: goneID, total: UInt64(Int64.max)),
        ])
        #expect(before.messageReservations == [keptID: 1 << 32, goneID: UInt64(Int64.max)])
        let after = try contents(after: [.deleteKey(id: gone.id, scope: gone.scope)])
        #expect(after.messageReservations == [keptID: 1 << 32])
    }
}
