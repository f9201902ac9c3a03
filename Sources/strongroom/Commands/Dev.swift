import ArgumentParser
import Foundation
import KMSCore
import KMSModel
import KMSServer
import Logging
import SecureMemory

struct Dev: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs a server for development and CI, with keys in software and on a SoftHSM token.",
        discussion: """
            Without --data-directory everything is thrown away when the server stops. Tests may move the server's \
            clock and reset it: docs/testing-with-strongroom.md.
            """)

    enum DefaultStore: String, ExpressibleByArgument, CaseIterable {
        case software, token
    }

    private static let wellKnownSecret = "test"

    @Option(help: "Keep keys and metadata here.", completion: .directory)
    var dataDirectory: String?

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 lets the system choose.")
    var port = 8555

    @Option(help: "Write endpoint and process id here when the server is ready.", completion: .file())
    var readyFile: String?

    @Option(help: "Where keys live that name no custom key store: software, or the SoftHSM token.")
    var defaultStore = DefaultStore.software

    @Option(help: "The account of the access key.")
    var account = "000000000000"

    @Option(help: "The access key id.")
    var accessKeyID = "test"

    @Option(help: "The secret access key. It is for development: whoever sees the process list sees it.")
    var secretAccessKey = Dev.wellKnownSecret

    @Option(help: "A file with more accounts and access keys.", completion: .file())
    var principals: String?

    @Option(help: "A directory with files of more devices.", completion: .directory)
    var hsmConfig: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "notice"

    func validate() throws {
        guard account.utf8.count == 12, account.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw ValidationError("an account is 12 digits, not \(account)")
        }
        guard (0...65535).contains(port) else { throw ValidationError("a port is 0 to 65535, not \(port)") }
    }

    func run() async throws {
        let directory = try dataDirectory.map { URL(fileURLWithPath: $0) } ?? Self.throwAwayDirectory()
        defer { if dataDirectory == nil { try? FileManager.default.removeItem(at: directory) } }
        try PrivateFile.makeDirectory(directory)

        let token = try SoftHSMToken.prepare(in: directory)
        if defaultStore == .token, token == nil {
            throw ConfigurationError("--default-store token needs SoftHSM: apt-get install softhsm2")
        }
        var accessKeys = [
            AccessKey(
                id: accessKeyID, secret: SecretBytes(copying: Array(secretAccessKey.utf8).span), sessionToken: nil,
                caller: Caller(accountID: account, principalARN: "arn:aws:iam::\(account):user/dev"))
        ]
        if let principals { accessKeys += try PrincipalsFile.load(URL(fileURLWithPath: principals)) }
        let devices = try hsmConfig.map { try DeviceFiles.load(URL(fileURLWithPath: $0)) } ?? []

        let account = account
        let provisioning = token.map { DevelopmentKeyStore(token: $0, account: account) }
        let announcement = Announcement(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey == Self.wellKnownSecret ? secretAccessKey : nil)
        let server = Server(
            dataDirectory: directory, listen: .init(host: host, port: port),
            readyFile: readyFile.map { URL(fileURLWithPath: $0) },
            accessKeys: accessKeys, devices: devices + (token.map { [$0.device] } ?? []),
            defaultPlacement: defaultStore == .token ? .device(clusterID: SoftHSMToken.clusterID) : .software,
            logLevel: try Logger.Level(named: logLevel),
            development: .init(
                provision: { service in
                    Server.Provisioned(customKeyStoreID: try await provisioning?.provision(service))
                },
                announce: announcement.print))
        try await server.run()
    }

    private static func throwAwayDirectory() throws -> URL {
        let base = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let directory = URL(fileURLWithPath: base).appendingPathComponent("strongroom-dev-\(UUID().uuidString)")
        try PrivateFile.makeDirectory(directory)
        return directory
    }
}
