import Foundation
import SecureMemory

/// Files that one test makes with the `openssl` command.
final class OpenSSL {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "ceremony-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func run(_ words: String) throws {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["openssl"] + words.split(separator: " ").map(String.init)
        process.currentDirectoryURL = folder
        (process.standardOutput, process.standardError) = (Pipe(), Pipe())
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: "openssl \(words) failed") }
    }

    func read(_ name: String) throws -> [UInt8] { try Array(Data(contentsOf: folder.appending(path: name))) }

    func secret(_ name: String) throws -> SecretBytes { SecretBytes(try read(name)) }
}

extension SecretBytes {
    convenience init(_ bytes: [UInt8]) { self.init(copying: bytes.span) }

    func holds(_ bytes: [UInt8]) -> Bool { withBytes { constantTimeEquals($0, bytes.span) } }
}
