import Foundation
import KMSCore
import KMSModel
import KMSPolicy
import KMSStorage
import KeyStoreSoftware
import KeyStores
import Logging
import SecureMemory

/// A KMS of its own in a directory of its own, with the parts that the server uses: SQLite and the software key store.
final class Installation {
    let directory: URL
    let store: SQLiteMetadataStore
    let service: KeyManagementService
    /// alice, who may do everything that her account may.
    let context = RequestContext(caller: People.alice, region: "eu-central-1")

    /// - Parameter directory: of an installation that was there before; it is taken over, and removed at the end.
    init(at existing: URL? = nil) async throws {
        directory =
            existing
            ?? FileManager.default.temporaryDirectory.appending(path: "strongroom-core-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        store = try SQLiteMetadataStore(path: directory.appending(path: SQLiteMetadataStore.fileName).path)
        let rootKey = try RootKey.openOrCreate(at: directory.appending(path: "root.key").path)
        service = try await KeyManagementService(
            configuration: .init(defaultPlacement: .software), store: store, sealing: rootKey,
            softwareKeyStore: SoftwareKeyStore(rootKey: rootKey), devices: NoDevices(),
            principals: { People.directory }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        await service.connectAtStart()
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    func createKey(_ description: Text = "") async throws -> String {
        try await service.createKey(.init(description: description), context).keyMetadata?.keyId.string ?? ""
    }

    func state(of keyID: String) async throws -> KeyState? {
        try await service.describeKey(.init(keyId: Text(keyID)), context).keyMetadata?.keyState
    }
}

/// An installation without tokens.
private struct NoDevices: KeyStoreDevices {
    func device(_ clusterID: String) -> KeyStoreDevice? { nil }

    func connect(
        _ clusterID: String, password: SecretBytes?, refusals: any RefusedPINs
    ) async throws(ConnectionFailure) -> any KeyStore {
        throw ConnectionFailure(.clusterNotFound, "there are no devices")
    }

    func obstacle(_ clusterID: String) async -> String? { "there are no devices" }

    func renewPassword(_ clusterID: String, _ password: SecretBytes) async {}

    func disconnect(_ clusterID: String) async {}
}

/// The error that `body` throws, if it is an answer of the API.
func refusal<R>(_ body: () async throws -> R) async -> KMSError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? KMSError
    }
}

func secret(_ text: String) -> SecretBytes { SecretBytes(copying: Array(text.utf8).span) }

func text(_ secret: SecretBytes?) -> String? {
    secret?.withBytes { bytes in String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self) }
}
