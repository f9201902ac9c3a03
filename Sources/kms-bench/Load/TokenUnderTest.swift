import ArgumentParser
internal import Foundation

/// A token of the benchmark's own, and whether the server works with copies of its keys in session memory, or brings
/// the token's files to the disk.
enum TokenUnderTest: String, CaseIterable, ExpressibleByArgument {
    case softHSM = "softhsm"
    case softHSMCopies = "softhsm-copies"
    case softHSMSynced = "softhsm-synced"
    case nss
    case nssCopies = "nss-copies"

    static let clusterID = "cluster-manykeystoken"
    static let pin = "1234567"

    /// Where the file of the device is.
    static func devices(in directory: URL) -> URL { directory.appending(path: "devices") }

    /// Makes the token and the file of its device in the directory that the server will work in.
    func prepare(in directory: URL) throws {
        var lines = ["clusterId: \(Self.clusterID)"]
        switch self {
        case .softHSM, .softHSMCopies, .softHSMSynced: lines += try makeSoftHSM(directory)
        case .nss, .nssCopies: lines += try makeNSS(directory)
        }
        lines += ["profile:", "  sessionCopies: \(self == .softHSMCopies || self == .nssCopies)"]
        if self == .softHSMSynced { lines.append("  syncDirectory: \(Self.softHSMTokens(in: directory).path)") }
        let folder = Self.devices(in: directory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
        try write(lines.joined(separator: "\n") + "\n", folder.appending(path: "device.yaml"))
    }

    /// Beside the token that `strongroom dev` makes: SoftHSM has one directory of tokens in a process.
    private func makeSoftHSM(_ directory: URL) throws -> [String] {
        let data = directory.appending(path: "data")
        let tokens = Self.softHSMTokens(in: directory)
        try FileManager.default.createDirectory(
            at: tokens, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let configuration = data.appending(path: "softhsm2.conf")
        try write("directories.tokendir = \(tokens.path)\nobjectstore.backend = file\n", configuration)
        try run(
            "/usr/bin/softhsm2-util",
            ["--init-token", "--free", "--label", "many keys", "--so-pin", Self.pin, "--pin", Self.pin],
            ["SOFTHSM2_CONF": configuration.path], directory)
        return ["module: \(try Measure.softHSM())", "token: {label: many keys}"]
    }

    private static func softHSMTokens(in directory: URL) -> URL { directory.appending(path: "data/softhsm") }

    private func makeNSS(_ directory: URL) throws -> [String] {
        let database = directory.appending(path: "nss")
        try FileManager.default.createDirectory(at: database, withIntermediateDirectories: false)
        let password = directory.appending(path: "password")
        try write(Self.pin + "\n", password)
        try run("/usr/bin/certutil", ["-N", "-d", "sql:\(database.path)", "-f", password.path], [:], directory)
        let initString = "configdir='sql:\(database.path)' certPrefix='' keyPrefix='' secmod='secmod.db' flags="
        return [
            "module: \(try Self.softoken())", "initString: \"\(initString)\"", "token: {label: NSS Certificate DB}",
        ]
    }

    private static func softoken() throws -> String {
        let places = ["x86_64-linux-gnu", "aarch64-linux-gnu"].flatMap { triple in
            ["/usr/lib/\(triple)/libsoftokn3.so", "/usr/lib/\(triple)/nss/libsoftokn3.so"]
        }
        guard let found = places.first(where: FileManager.default.fileExists(atPath:)) else {
            throw BenchmarkError("there is no libsoftokn3.so; install libnss3 and libnss3-tools")
        }
        return found
    }

    private func write(_ text: String, _ file: URL) throws { try Data(text.utf8).write(to: file) }

    private func run(
        _ program: String, _ arguments: [String], _ environment: [String: String], _ directory: URL
    ) throws {
        _ = try ChildProcess(
            URL(filePath: program), arguments, environment: environment, directory: directory
        ).waitForOutput()
    }
}
