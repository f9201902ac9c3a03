import ArgumentParser
internal import CPKCS11
internal import Cryptography
internal import Foundation

/// The token floor: what an operation costs when it is called straight on the PKCS#11 module.
struct TokenFloor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Does each operation in a loop on a fresh SoftHSM token. The benchmark starts it by itself.",
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
        var floor = StoreFloor()
        floor[.encrypt] = try ProcessorTime.microseconds(perCallOf: operations) { _ = try token.encrypt(plaintext) }
        floor[.decrypt] = try ProcessorTime.microseconds(perCallOf: operations) { _ = try token.decrypt(ciphertext) }
        try measureKeyPairs(token, &floor)
        print(String(decoding: try JSONEncoder().encode(floor), as: UTF8.self))
    }

    private func measureKeyPairs(_ token: BareToken, _ floor: inout StoreFloor) throws {
        // As long as a digest by SHA-256, and no digest: the server's hashing is its own to pay for.
        let input = [UInt8](repeating: 7, count: 32)
        let (p256, rsa) = (try token.generateP256(for: CKA_SIGN), try token.generateRSA2048())
        let (code, agreement) = (try token.generateHMAC256(), try token.generateP256(for: CKA_DERIVE))
        // The last 65 bytes of a SubjectPublicKeyInfo are the point.
        let point = Array(try PrivateKey.generate(.p256).publicKey.spki.suffix(65))
        floor[.signP256] = try ProcessorTime.microseconds(perCallOf: operations / 5) {
            _ = try token.signECDSA(input, p256)
        }
        floor[.signRSA2048] = try ProcessorTime.microseconds(perCallOf: operations / 50) {
            _ = try token.signPSS(input, rsa)
        }
        floor[.generateMac] = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try token.authenticate(input, code)
        }
        floor[.deriveSharedSecret] = try ProcessorTime.microseconds(perCallOf: operations / 5) {
            _ = try token.agree(with: point, agreement)
        }
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
