import ArgumentParser
internal import Foundation

/// The token floor: what an operation costs when it is called straight on the PKCS#11 module.
struct TokenFloor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Encrypts and decrypts in a loop on a fresh SoftHSM token. The benchmark starts it by itself.",
        discussion: "The environment variable SOFTHSM2_CONF must name a configuration with an empty token directory."
    )

    @Option(help: "The SoftHSM library.", completion: .file())
    var module: String

    @Option(help: "How many operations of each kind a round has; there are five.")
    var operations = 10_000

    func run() throws {
        let token = try BareToken(module: module)
        let plaintext = [UInt8](repeating: 7, count: 32)
        let ciphertext = try token.encrypt(plaintext)
        guard try token.decrypt(ciphertext) == plaintext else {
            throw BenchmarkError("the token does not decrypt what it encrypted")
        }
        let floor = StoreFloor(
            encrypt: try ProcessorTime.microseconds(perCallOf: operations) { _ = try token.encrypt(plaintext) },
            decrypt: try ProcessorTime.microseconds(perCallOf: operations) { _ = try token.decrypt(ciphertext) }
        )
        print(String(decoding: try JSONEncoder().encode(floor), as: UTF8.self))
    }

    /// Runs this command in a process of its own: SoftHSM reads its configuration once per process.
    static func measure(module: String, directory: URL) throws -> StoreFloor {
        let tokens = directory.appending(path: "floor-tokens")
        try FileManager.default.createDirectory(at: tokens, withIntermediateDirectories: true)
        let configuration = directory.appending(path: "floor-softhsm2.conf")
        try "directories.tokendir = \(tokens.path)\nobjectstore.backend = file\nlog.level = ERROR\n"
            .write(to: configuration, atomically: true, encoding: .utf8)
        let child = try ChildProcess(
            Measure.ownExecutable, ["token-floor", "--module", module],
            environment: ["SOFTHSM2_CONF": configuration.path], directory: directory
        )
        return try JSONDecoder().decode(StoreFloor.self, from: Data(try child.waitForOutput().utf8))
    }
}
