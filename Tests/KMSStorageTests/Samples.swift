import Foundation
import GRDB
import KMSCore
import KMSModel
import KMSPolicy
import KMSStorage
import KeyStores

/// A directory that goes with the last reference.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "storage-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        path = directory.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var databasePath: String { path + "/" + SQLiteMetadataStore.fileName }

    func open() throws -> SQLiteMetadataStore { try SQLiteMetadataStore(path: databasePath) }
}

extension Scope {
    static let home = Scope(accountID: "000000000000", region: "us-east-1")
    static let abroad = Scope(accountID: "111122223333", region: "eu-central-1")
}

extension Text {
    /// The same letter twice, composed and decomposed, an emoji of several scalars, a NUL, quotes, and an end that
    /// takes four bytes.
    static let odd: Text = "\u{E9} e\u{301} \u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467} \0 ' \" ; -- \u{10FFFF}"
}

extension Timestamp {
    /// A fraction that is not representable exactly.
    static let sample = Timestamp(secondsSinceEpoch: 1_700_000_000.123_456_7)
}

extension BackingKeyID {
    static func fresh() -> BackingKeyID {
        var generator = SystemRandomNumberGenerator()
        return BackingKeyID(randomFrom: &generator)
    }
}

func makeMaterial(
    of keyID: String, reference: [UInt8] = [1, 0, 255], placement: Placement = .software
) -> KeyMaterial {
    let id = BackingKeyID.fresh()
    return KeyMaterial(
        backingKey: BackingKey(id: id, keySpec: .symmetricDefault, kmsKeyID: keyID, reference: reference),
        placement: placement,
        materialID: id.bytes + id.bytes,
        creationDate: .sample
    )
}

func makeKey(
    _ id: String = UUID().uuidString.lowercased(), scope: Scope = .home, description: Text = "",
    status: KeyStatus = .enabled, tags: [Tag] = [], materials: [KeyMaterial]? = nil,
    customKeyStoreID: String? = nil, origin: OriginType? = nil, placement: Placement = .software
) -> KMSKey {
    KMSKey(
        id: id, scope: scope, creationDate: .sample, keySpec: .symmetricDefault, keyUsage: .encryptDecrypt,
        origin: origin ?? (customKeyStoreID == nil ? .awsKms : .awsCloudhsm),
        primaryRegion: id.hasPrefix("mrk-") ? Scope.home.region : nil,
        customKeyStoreID: customKeyStoreID, description: description, status: status, tags: tags,
        placement: placement, materials: materials ?? [makeMaterial(of: id)]
    )
}

func makeImportParameters(for key: KMSKey, placement: Placement = .software) -> ImportParameters {
    ImportParameters(
        wrappingKey: WrappingKey(
            id: .fresh(), wrappingKeySpec: .rsa3072, wrappingAlgorithm: .rsaAesKeyWrapSha256, kmsKeyID: key.id,
            reference: [0, 255], publicKey: [48, 0]),
        placement: placement, scope: key.scope, creationDate: .sample, expirationDate: .sample + 86_400
    )
}

func makeAlias(_ name: String, of key: KMSKey) -> Alias {
    Alias(
        scope: key.scope, name: name, targetKeyID: key.id, creationDate: .sample, lastUpdatedDate: .sample
    )
}

func makeCustomKeyStore(
    _ id: String = "cks-0123456789abcdef0", connection: CustomKeyStore.Connection = .disconnected
) -> CustomKeyStore {
    CustomKeyStore(
        id: id, scope: .home, name: .odd, clusterID: "cluster-abcdefghijk",
        trustAnchorCertificate: "-----BEGIN CERTIFICATE-----\r\n", sealedPassword: [0, 1, 2, 0], creationDate: .sample,
        connection: connection
    )
}

func makeGrant(
    on key: KMSKey, id: String? = nil, operations: [GrantOperation] = [.decrypt, .encrypt],
    equals: [Text: Text]? = nil, subset: [Text: Text]? = nil
) -> KeyGrant {
    let id = id ?? (UUID().uuidString + UUID().uuidString).replacing("-", with: "").lowercased()
    return KeyGrant(
        scope: key.scope, keyID: key.id,
        grant: Grant(
            id: id, name: nil, granteePrincipal: "arn:aws:iam::111122223333:user/team/alice", retiringPrincipal: nil,
            operations: operations, encryptionContextEquals: equals, encryptionContextSubset: subset,
            issuingAccount: "arn:aws:iam::000000000000:root", creationDate: .sample
        )
    )
}

extension SQLiteMetadataStore {
    func totalChanges() throws -> Int { try database.read { database in database.totalChangesCount } }
}
