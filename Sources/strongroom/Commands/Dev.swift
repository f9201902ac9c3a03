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

    @Option(
        help: "aws: take only what AWS takes. extended: also more kinds of keys in custom key stores.",
        transform: Compatibility.init(named:))
    var compatibility = Compatibility.extended

    @Option(
        help: "off, on or required: whether each call has a line in the data directory's audit log.",
        transform: AuditSetting.init(named:))
    var audit = AuditSetting.off

    @Option(
        help: ArgumentHelp(
            "A limit other than that of AWS: \(Quotas.names.joined(separator: ", ")). May be given several times.",
            valueName: "name=number"))
    var quota: [String] = []

    @Option(help: "The account of the access key.")
    var account = DevelopmentUser.defaultAccount

    @Option(help: "The access key id.")
    var accessKeyID = "test"

    @Option(help: "The secret access key. It is for development: whoever sees the process list sees it.")
    var secretAccessKey = Dev.wellKnownSecret

    @Option(help: "A file with more accounts, users and roles. SIGHUP reads it again.", completion: .file())
    var principals: String?

    @Option(help: "A file with keys that the server has from its start, and after every reset.", completion: .file())
    var seed: String?

    @Option(help: "A directory with files of more devices.", completion: .directory)
    var hsmConfig: String?

    @Option(help: "trace, debug, info, notice, warning, error or critical.")
    var logLevel = "notice"

    func validate() throws {
        guard IAMNames.isAccountID(account) else {
            throw ValidationError("an account is 12 digits, not \(account)")
        }
        guard IAMNames.isAccessKeyID(accessKeyID), !accessKeyID.hasPrefix("ASIA") else {
            throw ValidationError(
                "an access key id has 1 to 128 letters, digits and _+=,.@- and does not begin with ASIA")
        }
        _ = try quotas()
        guard (0...65535).contains(port) else { throw ValidationError("a port is 0 to 65535, not \(port)") }
    }

    func run() async throws {
        if try await !serve() { ProcessProtection.leave() }
    }

    private func serve() async throws -> Bool {
        let directory = try dataDirectory.map { URL(fileURLWithPath: $0) } ?? Self.throwAwayDirectory()
        defer { if dataDirectory == nil { try? FileManager.default.removeItem(at: directory) } }
        try PrivateFile.makeDirectory(directory)

        let token = try SoftHSMToken.prepare(in: directory)
        if defaultStore == .token, token == nil {
            throw ConfigurationError("--default-store token needs SoftHSM: apt-get install softhsm2")
        }
        let user = DevelopmentUser(
            account: account, accessKeyID: accessKeyID,
            secretAccessKey: SecretBytes(copying: Array(secretAccessKey.utf8).span))
        let file = principals.map { URL(fileURLWithPath: $0) }
        let devices = try hsmConfig.map { try DeviceFiles.load(URL(fileURLWithPath: $0)) } ?? []

        let caller = DevelopmentUser.principal(account)
        let provisioning = token.map { DevelopmentKeyStore(token: $0, caller: caller) }
        let announcement = Announcement(
            accessKeyID: accessKeyID,
            secretAccessKey: secretAccessKey == Self.wellKnownSecret ? secretAccessKey : nil)
        let server = Server(
            dataDirectory: directory, listen: .init(host: host, port: port),
            readyFile: readyFile.map { URL(fileURLWithPath: $0) },
            principals: PrincipalsSource(file: file) {
                try file.map { try PrincipalsFile.load($0, adding: user) } ?? user.alone()
            },
            devices: devices + (token.map { [$0.device] } ?? []),
            defaultPlacement: defaultStore == .token ? .device(clusterID: SoftHSMToken.clusterID) : .software,
            compatibility: compatibility,
            quotas: try quotas(),
            audit: audit,
            logLevel: try Logger.Level(named: logLevel),
            seed: try seed.map { try SeedFile.load(URL(fileURLWithPath: $0), .init(account: account)) } ?? [],
            development: .init(
                provision: { service in
                    Server.Provisioned(customKeyStoreID: try await provisioning?.provision(service))
                },
                announce: announcement.print))
        return try await server.run()
    }

    private func quotas() throws -> Quotas {
        var quotas = Quotas()
        for assignment in quota {
            let parts = assignment.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let limit = Int(parts[1]) else {
                throw ValidationError("a quota is given as name=number, not \(assignment)")
            }
            do throws(QuotaError) { try quotas.set(String(parts[0]), to: limit) } catch {
                throw ValidationError("\(error)")
            }
        }
        return quotas
    }

    private static func throwAwayDirectory() throws -> URL {
        let base = FileManager.default.isWritableFile(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        let directory = URL(fileURLWithPath: base).appendingPathComponent("strongroom-dev-\(UUID().uuidString)")
        try PrivateFile.makeDirectory(directory)
        return directory
    }
}
