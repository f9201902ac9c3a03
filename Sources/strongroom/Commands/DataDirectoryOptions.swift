import ArgumentParser
import Foundation

/// Which running server a command asks.
struct DataDirectoryOptions: ParsableArguments {
    @Option(
        name: .customLong("data"), help: "The data directory of the running server, or its configuration file.",
        completion: .file())
    var place: String

    @Flag(help: "Print JSON.")
    var json = false

    /// The data directory; of a file, the one that it names.
    func directory() throws -> String {
        let file = URL(fileURLWithPath: place)
        let isFile = try? file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile
        guard isFile == true else { return file.path }
        return ServeConfiguration.path(try ServeConfiguration.load(file).dataDirectory, in: file).path
    }

    func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
    }
}
