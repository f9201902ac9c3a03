internal import Foundation

/// NSS softoken for one test process: strict where SoftHSM is not, and different in error codes, lengths and speed.
/// It has one database, so one connection at a time.
public struct NSSFixture: Sendable {
    public static let label = "NSS Certificate DB"

    public let modulePath: String
    public let pin = "nss pin 12"
    private let directory: TestDirectory

    private static let made = Result { try NSSFixture() }

    public static func shared() throws -> NSSFixture { try made.get() }

    /// What goes into pReserved; NSS does not start without it.
    public var initString: String {
        "configdir='sql:\(directory.path)' certPrefix='' keyPrefix='' secmod='secmod.db' flags="
    }

    private init() throws {
        let places = ["x86_64-linux-gnu", "aarch64-linux-gnu"].flatMap { triple in
            ["/usr/lib/\(triple)/libsoftokn3.so", "/usr/lib/\(triple)/nss/libsoftokn3.so"]
        }
        guard let module = places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw FixtureError("NSS softoken is not installed: there is no libsoftokn3.so")
        }
        modulePath = module
        directory = try TestDirectory("nss")
        let passwordFile = try directory.write(pin, to: "password")
        try runProgram("/usr/bin/certutil", ["-N", "-d", "sql:\(directory.path)", "-f", passwordFile])
    }
}
