import Foundation
import KeyStorePKCS11

/// The directory with one file per device (docs/configuration.md, "Devices").
enum DeviceFiles {
    private static let schema: YAMLSchema = .keys([
        "clusterId": .scalar, "module": .scalar, "initString": .scalar,
        "token": .keys(["label": .scalar, "serial": .scalar]),
        "userName": .scalar, "pinFile": .scalar, "pinEnvironment": .scalar, "accounts": .list(.scalar),
        "trustAnchor": .scalar,  // Its keys are checked by `TokenProfile`, which knows them.
        "profile": .anyKeys(.scalar),
    ])

    /// Reads every `*.yaml` file of `directory`, in the order of their names.
    static func load(_ directory: URL) throws -> [TokenDeviceConfiguration] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        } catch {
            throw ConfigurationError("\(directory.path) cannot be read: \(error.localizedDescription)")
        }
        var files: [String: String] = [:]
        return try names.filter { $0.hasSuffix(".yaml") }.sorted().map { name in
            let file = directory.appendingPathComponent(name)
            let device = try StrictYAML.decode(TokenDeviceConfiguration.self, from: file, schema: schema)
            if let other = files.updateValue(name, forKey: device.clusterID) {
                throw ConfigurationError("\(file.path): the clusterId \(device.clusterID) stands in \(other) already")
            }
            return device
        }
    }
}
