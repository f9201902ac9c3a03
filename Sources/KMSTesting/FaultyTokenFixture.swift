internal import Foundation
internal import Glibc

/// The fault-injecting module in front of a SoftHSM of its own. Its commands act on the whole process, so the tests
/// that use it run one after the other.
public struct FaultyTokenFixture: Sendable {
    public let modulePath: String
    private let directory: TestDirectory

    private static let made = Result { try FaultyTokenFixture() }

    public static func shared() throws -> FaultyTokenFixture { try made.get() }

    private init() throws {
        // Beside the test program, where the build puts all products.
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let folder = URL(fileURLWithPath: program).deletingLastPathComponent().path
        modulePath = "\(folder)/libFaultyToken.so"
        guard FileManager.default.fileExists(atPath: modulePath) else {
            throw FixtureError("there is no \(modulePath): build the product FaultyToken")
        }
        directory = try TestDirectory("faulty")
        let real = try SoftHSMFixture.shared().copyOfModule("behind-faulty-token")
        let control = try directory.write("", to: "control")
        let log = try directory.write("", to: "log")
        for (name, value) in [
            ("FAULTY_TOKEN_MODULE", real), ("FAULTY_TOKEN_CONTROL", control), ("FAULTY_TOKEN_LOG", log),
        ] {
            guard unsafe setenv(name, value, 1) == 0 else { throw FixtureError("\(name) cannot be set") }
        }
    }

    /// Replaces all commands (see FaultyToken.h).
    public func command(_ lines: String...) throws { try command(lines: lines) }

    public func command(lines: [String]) throws {
        _ = try directory.write(lines.joined(separator: "\n") + "\n", to: "control")
    }

    /// The functions called since the log was last cleared, in order.
    public func calls() throws -> [String] {
        try String(contentsOfFile: "\(directory.path)/log", encoding: .utf8).split(separator: "\n").map(String.init)
    }

    public func clearLog() throws {
        _ = try directory.write("", to: "log")
    }
}
