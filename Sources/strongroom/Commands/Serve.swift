import ArgumentParser
import Foundation
import KMSCore
import KMSServer
import KeyStorePKCS11
import Logging

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs the server as its configuration file says.",
        discussion: "Every key of the file is described in docs/configuration.md. `strongroom init` writes one.")

    @Option(help: "The configuration file.", completion: .file())
    var config: String

    func run() async throws {
        let file = URL(fileURLWithPath: config)
        let configuration = try ServeConfiguration.load(file)
        func path(_ text: String) -> URL { ServeConfiguration.path(text, in: file) }

        let devices = try configuration.hsmConfigDirectory.map { try DeviceFiles.load(path($0)) } ?? []
        let principalsFile = path(configuration.principalsFile)
        let server = Server(
            dataDirectory: path(configuration.dataDirectory),
            listen: .init(host: configuration.listen?.host ?? "127.0.0.1", port: configuration.listen?.port ?? 8555),
            readyFile: configuration.readyFile.map(path),
            principals: PrincipalsSource(file: principalsFile) { try PrincipalsFile.load(principalsFile) },
            devices: devices,
            defaultPlacement: try placement(configuration.defaultKeyStore ?? "software", devices),
            compatibility: try Compatibility(named: configuration.compatibility ?? "extended"),
            quotas: try Quotas(configuration.quotas ?? [:], file),
            audit: try AuditSetting(named: configuration.audit ?? "on"),
            logLevel: try Logger.Level(named: configuration.logLevel ?? "info"),
            seed: try configuration.seedFile.map { try SeedFile.load(path($0), .init()) } ?? [])
        if try await !server.run() { ProcessProtection.leave() }
    }

    private func placement(_ name: String, _ devices: [TokenDeviceConfiguration]) throws -> Placement {
        if name == "software" { return .software }
        guard let device = devices.first(where: { $0.clusterID == name }) else {
            let clusterIDs = devices.map(\.clusterID)
            throw ConfigurationError(
                "defaultKeyStore \(name) is neither software nor the clusterId of a device in hsmConfigDirectory"
                    + (clusterIDs.isEmpty ? "" : " (\(clusterIDs.sorted().joined(separator: ", ")))"))
        }
        guard device.pin != nil else {
            throw ConfigurationError("the device \(name) needs pinFile or pinEnvironment to be the default key store")
        }
        return .device(clusterID: name)
    }
}

extension Compatibility {
    init(named name: String) throws {
        guard let compatibility = Compatibility(rawValue: name) else {
            throw ConfigurationError(
                "compatibility \(name) is none: use " + Compatibility.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = compatibility
    }
}

extension Quotas {
    init(_ limits: [String: Int], _ file: URL) throws {
        self.init()
        for (name, limit) in limits {
            do throws(QuotaError) { try set(name, to: limit) } catch {
                throw ConfigurationError("\(file.path): quotas: \(error)")
            }
        }
    }
}

extension Logger.Level {
    init(named name: String) throws {
        guard let level = Logger.Level(rawValue: name) else {
            throw ConfigurationError(
                "\(name) is no log level: use "
                    + Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = level
    }
}
