import Foundation
import KMSCore
import KMSModel
import KMSPolicy
import KMSServer
import KeyStoreSoftware
import KeyStores
import Logging
import SecureMemory

/// A server without a network: what `strongroom serve` answers requests with, on metadata that is kept in memory alone.
final class TestServer {
    let directory: URL
    let service: KeyManagementService
    let principals: CurrentPrincipals
    private let auditDirectory: URL
    private(set) var handler: RequestHandler

    /// - Parameter audit: nil for no audit lines.
    init(_ world: World = World(), audit mode: AuditLog.Mode? = nil) async throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "strongroom-server-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let principals = CurrentPrincipals(try world.principals())
        let rootKey = try RootKey.openOrCreate(at: directory.appending(path: "root.key").path)
        service = try await KeyManagementService(
            configuration: .init(defaultPlacement: .software), store: MemoryMetadataStore(), sealing: rootKey,
            softwareKeyStore: SoftwareKeyStore(rootKey: rootKey), devices: NoDevices(),
            principals: { principals.value.directory }, logger: Self.logger)
        self.principals = principals
        let auditDirectory = directory.appending(path: AuditLog.directoryName)
        self.auditDirectory = auditDirectory
        let audit = try mode.map { mode throws(AuditError) in
            try AuditLog(directory: auditDirectory.path, mode: mode, logger: Self.logger)
        }
        handler = RequestHandler(
            service: service, principals: principals, testControls: nil, audit: audit, logger: Self.logger)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    static var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// Forgets everything that a restart forgets.
    func restart() {
        handler = RequestHandler(service: service, principals: principals, testControls: nil, logger: Self.logger)
    }

    var auditPath: String { auditDirectory.path }

    /// Everything that is in the audit log.
    func auditText() throws -> String {
        try FileManager.default.contentsOfDirectory(at: auditDirectory, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "jsonl" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
            .map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    }

    func auditLines() throws -> [[String: Any]] {
        try auditText().split(separator: "\n").map { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        }
    }

    func respond(_ request: WireRequest) async -> WireResponse { await handler.respond(to: request) }

    /// AssumeRole, with whatever comes of it.
    func assumeRole(
        _ role: String, as client: Client, account: String = "111111111111", _ parameters: [(String, String)] = []
    ) async throws -> WireResponse {
        var parameters = parameters
        for (name, value) in [("RoleArn", "arn:aws:iam::\(account):role/\(role)"), ("RoleSessionName", "ci")]
        where !parameters.contains(where: { $0.0 == name }) {
            parameters.append((name, value))
        }
        return await respond(try client.sts("AssumeRole", parameters))
    }

    /// A client with the credentials of a new session.
    func session(
        of role: String, as client: Client, _ parameters: [(String, String)] = []
    ) async throws -> Client {
        let response = try await assumeRole(role, as: client, parameters)
        guard let id = response.element("AccessKeyId"), let key = response.element("SecretAccessKey"),
            let token = response.element("SessionToken")
        else { throw Refused(response: response) }
        return Client(accessKeyID: id, secretKey: key, token: token)
    }

    struct Refused: Error, CustomStringConvertible {
        let response: WireResponse
        var description: String { "\(response.status) \(response.text)" }
    }
}

/// Metadata that nobody needs after the test.
private struct MemoryMetadataStore: MetadataStore {
    func load() throws(MetadataStoreError) -> MetadataContents { MetadataContents() }
    func commit(_ changes: [MetadataChange]) throws(MetadataStoreError) {}
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
