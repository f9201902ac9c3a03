import Foundation
import Glibc
import KeyStorePKCS11
import PKCS11
import SecureMemory

/// The SoftHSM token of a `strongroom dev` data directory, made on first use.
struct SoftHSMToken: Sendable {
    static let clusterID = "cluster-strongroomdev"
    static let label = "strongroom"
    /// What `strongroom dev` gives as TrustAnchorCertificate, which the API requires. Any other certificate would do: a
    /// token in the same process has no connection to protect, so the device asks for none in particular.
    static let trustAnchorPEM = """
        -----BEGIN CERTIFICATE-----
        MIIBojCCAUmgAwIBAgIUBY253sX9E99SocXiXAAu78AqSLgwCgYIKoZIzj0EAwIw
        JjEkMCIGA1UEAwwbc3Ryb25ncm9vbSBkZXYgdHJ1c3QgYW5jaG9yMCAXDTI2MTEy
        MTA0MzE0NVoYDzIxMjYxMDI4MDQzMTQ1WjAmMSQwIgYDVQQDDBtzdHJvbmdyb29t
        IGRldiB0cnVzdCBhbmNob3IwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT44t5W
        9TJb3Ap48mss+PODEF2blRFBizJhxwet+lPbKGfpi++6q89VnFl30UM6R4jyIb7v
        PNaVR1vsCMe1A7l9o1MwUTAdBgNVHQ4EFgQUDkgDXxJfFc5y6HmQ35XeW74HnYMw
        HwYDVR0jBBgwFoAUDkgDXxJfFc5y6HmQ35XeW74HnYMwDwYDVR0TAQH/BAUwAwEB
        /zAKBggqhkjOPQQDAgNHADBEAiBbmwIRWhrTswHGA+x1Fdv9SFSaT1m4rWUoWG68
        OQWbdwIgTmiS7RP0ObPdOKpi33TtCT5i+v+5MR/lf1x7e0ihlkw=
        -----END CERTIFICATE-----
        """

    private static let modulePaths = [
        "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
    ]

    let device: TokenDeviceConfiguration
    private let pinFile: URL

    /// Nil when SoftHSM is not installed. Points SoftHSM at the data directory, for the life of the process.
    static func prepare(in directory: URL) throws -> SoftHSMToken? {
        guard let module = modulePaths.first(where: FileManager.default.fileExists) else { return nil }
        let tokens = directory.appendingPathComponent("softhsm", isDirectory: true)
        try PrivateFile.makeDirectory(tokens)
        let configuration = directory.appendingPathComponent("softhsm2.conf")
        try PrivateFile.replace(
            configuration,
            """
            directories.tokendir = \(tokens.path)
            objectstore.backend = file
            log.level = ERROR

            """)
        // SoftHSM reads the variable once, at C_Initialize.
        unsafe setenv("SOFTHSM2_CONF", configuration.path, 1)

        let pinFile = directory.appendingPathComponent("softhsm.pin")
        // First the PINs: a token whose PIN is not written down would be of no use to anybody.
        for file in [pinFile, directory.appendingPathComponent("softhsm.so-pin")]
        where !FileManager.default.fileExists(atPath: file.path) {
            try PrivateFile.create(file, randomPIN())
        }
        var device = TokenDeviceConfiguration(
            clusterID: clusterID, modulePath: module, token: .label(label), pin: .file(pinFile.path))
        device.profile.syncDirectory = tokens.path
        let token = SoftHSMToken(device: device, pinFile: pinFile)
        try token.initializeIfNeeded(module, directory)
        return token
    }

    func readPIN() throws -> SecretBytes { try Self.readPIN(pinFile) }

    private func initializeIfNeeded(_ path: String, _ directory: URL) throws {
        let module = try Module.load(path: path)
        let slots = try module.slotsWithToken()
        let token = try slots.first { try $0.tokenInfo().label == Self.label }
        if let token, try token.tokenInfo().isUserPINInitialized { return }
        // A token without a user PIN was left by a start that was interrupted; it holds nothing and is made again.
        guard let free = try token ?? slots.first(where: { try !$0.tokenInfo().isInitialized }) else {
            throw ConfigurationError("SoftHSM offers no free slot in \(directory.path)")
        }
        try free.initializeToken(
            label: Self.label,
            securityOfficerPIN: try Self.readPIN(directory.appendingPathComponent("softhsm.so-pin")),
            userPIN: try readPIN())
    }

    private static func readPIN(_ file: URL) throws -> SecretBytes {
        try file.requirePrivate()
        var bytes = [UInt8](try Data(contentsOf: file))
        defer { wipe(&bytes) }
        return SecretBytes(copying: bytes.span)
    }

    /// 16 digits: within the 7...32 characters of KeyStorePassword.
    private static func randomPIN() -> String {
        var generator = SystemRandomNumberGenerator()
        return String((0..<16).map { _ in Character(String(Int.random(in: 0...9, using: &generator))) })
    }
}
