import Foundation
import KMSCore

/// `strongroom.yaml`. Every key is in docs/configuration.md.
struct ServeConfiguration: Decodable {
    struct Listen: Decodable {
        var host: String?
        var port: Int?
    }

    var dataDirectory: String
    var listen: Listen?
    var principalsFile: String
    var hsmConfigDirectory: String?
    var defaultKeyStore: String?
    var compatibility: String?
    var seedFile: String?
    var audit: String?
    var quotas: [String: Int]?
    var readyFile: String?
    var logLevel: String?

    private static let schema: YAMLSchema = .keys([
        "dataDirectory": .scalar,
        "listen": .keys(["host": .scalar, "port": .scalar]),
        "principalsFile": .scalar,
        "hsmConfigDirectory": .scalar,
        "defaultKeyStore": .scalar,
        "compatibility": .scalar,
        "seedFile": .scalar,
        "audit": .scalar,
        "quotas": .keys(Dictionary(uniqueKeysWithValues: Quotas.names.map { ($0, YAMLSchema.scalar) })),
        "readyFile": .scalar,
        "logLevel": .scalar,
    ])

    /// Relative paths in a file are relative to the file, wherever the command is started.
    static func path(_ text: String, in file: URL) -> URL {
        URL(fileURLWithPath: text, relativeTo: file.deletingLastPathComponent())
    }

    static func load(_ file: URL) throws -> Self {
        try StrictYAML.decode(Self.self, from: file, schema: schema)
    }
}
