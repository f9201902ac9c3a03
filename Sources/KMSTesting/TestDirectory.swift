internal import Foundation
internal import Glibc

/// A directory of this test process, in memory where the system has such a place: token directories there are 25 to
/// 50 times faster than on a disk. Removed by the next run, not by this one: modules write to it until the very end.
public struct TestDirectory: Sendable {
    public let path: String

    public init(_ purpose: String) throws {
        let manager = FileManager.default
        let memory = manager.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
        // Who starts the tests may want to choose the place, and to clear it.
        let base = ProcessInfo.processInfo.environment["TMPDIR"] ?? memory
        Self.removeLeftovers(in: base)
        let process = ProcessInfo.processInfo.processIdentifier
        path = "\(base)/\(Self.prefix)\(process)-\(purpose)-\(UInt32.random(in: .min ... .max))"
        try manager.createDirectory(
            atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    private static let prefix = "strongroom-test-"

    /// Removes the directories of processes that have ended.
    private static func removeLeftovers(in base: String) {
        let manager = FileManager.default
        for name in (try? manager.contentsOfDirectory(atPath: base)) ?? [] where name.hasPrefix(prefix) {
            guard let process = name.dropFirst(prefix.count).split(separator: "-").first,
                !manager.fileExists(atPath: "/proc/\(process)")
            else { continue }
            try? manager.removeItem(atPath: "\(base)/\(name)")
        }
    }

    public func write(_ text: String, to name: String, mode: Int = 0o600) throws -> String {
        let file = "\(path)/\(name)"
        // Renamed into place, so that nobody reads half of it.
        let draft = "\(file).\(UInt32.random(in: .min ... .max))"
        try Data(text.utf8).write(to: URL(fileURLWithPath: draft))
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: draft)
        guard unsafe rename(draft, file) == 0 else { throw FixtureError("\(draft) cannot be renamed") }
        return file
    }
}

/// Why a fixture cannot be made. Tests fail with it: what a test needs is installed or the test run is no proof.
public struct FixtureError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// Runs a program to its end.
func runProgram(_ path: String, _ arguments: [String], environment: [String: String] = [:]) throws {
    guard FileManager.default.isExecutableFile(atPath: path) else { throw FixtureError("\(path) is not installed") }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
        throw FixtureError("\(path) failed: \(String(decoding: text, as: UTF8.self))")
    }
}
