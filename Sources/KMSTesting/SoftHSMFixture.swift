internal import Foundation
internal import Glibc
internal import Synchronization

/// SoftHSM for one test process: one token directory (SOFTHSM2_CONF is read once) with a stock of tokens that is made
/// before the module starts, because SoftHSM lists only the tokens that it found then.
public final class SoftHSMFixture: Sendable {
    /// A token that one test has for itself.
    public struct Token: Sendable {
        public let label: String
        public let pin: String
    }

    public static let modulePath = "/usr/lib/softhsm/libsofthsm2.so"
    public static let securityOfficerPIN = "12345678"
    /// A token whose user has no PIN yet.
    public static let labelWithoutUserPIN = "no-user-pin"

    private static let stock = 192
    private static let made = Result { try SoftHSMFixture() }

    private let directory: TestDirectory
    private let next = Mutex(0)

    /// The fixture of this process; made when it is first asked for.
    public static func shared() throws -> SoftHSMFixture { try made.get() }

    /// What the module keeps its token directories in.
    public var tokenDirectory: String { "\(directory.path)/tokens" }

    /// What SOFTHSM2_CONF is set to.
    public var configurationPath: String { "\(directory.path)/softhsm2.conf" }

    private init() throws {
        guard FileManager.default.fileExists(atPath: Self.modulePath) else {
            throw FixtureError("SoftHSM is not installed: there is no \(Self.modulePath)")
        }
        directory = try TestDirectory("softhsm")
        try FileManager.default.createDirectory(atPath: "\(directory.path)/tokens", withIntermediateDirectories: false)
        _ = try directory.write(
            """
            directories.tokendir = \(directory.path)/tokens
            objectstore.backend = file
            log.level = ERROR

            """, to: "softhsm2.conf")
        guard unsafe setenv("SOFTHSM2_CONF", "\(directory.path)/softhsm2.conf", 1) == 0 else {
            throw FixtureError("SOFTHSM2_CONF cannot be set")
        }
        for number in 0..<Self.stock { try initializeToken(label: Self.label(number), pin: "pin-of-\(number)") }
        // softhsm2-util always sets a user PIN. The free slot comes after all tokens.
        try runProgram(
            "/usr/bin/pkcs11-tool",
            [
                "--module", Self.modulePath, "--slot-index", "\(Self.stock)", "--init-token", "--label",
                Self.labelWithoutUserPIN, "--so-pin", Self.securityOfficerPIN,
            ], environment: ["SOFTHSM2_CONF": configurationPath])
    }

    /// A token that nobody has had before.
    public func takeToken() throws -> Token {
        let number = next.withLock { next in
            defer { next += 1 }
            return next
        }
        guard number < Self.stock else { throw FixtureError("all \(Self.stock) test tokens are taken") }
        return Token(label: Self.label(number), pin: "pin-of-\(number)")
    }

    /// None begins with another one: pkcs11-tool compares no further than the label that it is given.
    private static func label(_ number: Int) -> String { "token-\(100 + number)" }

    /// Makes one more token by another process; a module that runs already does not see it.
    public func initializeToken(label: String, pin: String) throws {
        try runProgram(
            "/usr/bin/softhsm2-util",
            [
                "--init-token", "--free", "--label", label, "--so-pin", Self.securityOfficerPIN, "--pin", pin,
            ], environment: ["SOFTHSM2_CONF": configurationPath])
    }

    /// A copy of the module file: the loader takes it for another library, so that a test can start and end it without
    /// touching the one that other tests use.
    public func copyOfModule(_ name: String) throws -> String {
        let path = "\(directory.path)/\(name).so"
        // The file itself: Debian has a symbolic link in its place.
        let file = URL(fileURLWithPath: Self.modulePath).resolvingSymlinksInPath().path
        try FileManager.default.copyItem(atPath: file, toPath: path)
        return path
    }

    /// Makes an AES-256 key on the token by another process. `id` is hexadecimal.
    public func generateKey(id: String, label: String, on token: Token) throws {
        try runTool(["--keygen", "--key-type", "AES:32", "--id", id, "--label", label], on: token)
    }

    /// Destroys a key on the token by another process. `id` is hexadecimal.
    public func destroyKey(id: String, on token: Token) throws {
        try runTool(["--delete-object", "--type", "secrkey", "--id", id], on: token)
    }

    private func runTool(_ arguments: [String], on token: Token) throws {
        try runProgram(
            "/usr/bin/pkcs11-tool",
            ["--module", Self.modulePath, "--token-label", token.label, "--login", "--pin", token.pin] + arguments,
            environment: ["SOFTHSM2_CONF": configurationPath])
    }
}
