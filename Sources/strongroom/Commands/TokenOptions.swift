import ArgumentParser
import PKCS11
import SecureMemory

/// Which token a command works on, and where its PIN comes from.
struct TokenOptions: ParsableArguments {
    @Argument(help: "The PKCS#11 module: the file of a library.", completion: .file())
    var module: String

    @Option(name: .customLong("token"), help: "The label of the token.")
    var label: String?

    @Option(help: "The serial number of the token.")
    var serial: String?

    @Option(help: "The module's own initialisation string, where it needs one.")
    var initString: String?

    @Option(help: "A file with the PIN, mode 0600. Else the PIN is asked for.", completion: .file())
    var pinFile: String?

    @Option(help: "The environment variable with the PIN.")
    var pinEnvironment: String?

    func validate() throws {
        guard (label == nil) != (serial == nil) else { throw ValidationError("one of --token and --serial is needed") }
        guard pinFile == nil || pinEnvironment == nil else {
            throw ValidationError("--pin-file and --pin-environment exclude each other")
        }
    }

    var access: TokenAccess {
        let token: TokenSelector = if let serial { .serialNumber(serial) } else { .label(label ?? "") }
        return TokenAccess(modulePath: module, initString: initString, token: token)
    }

    func pin() throws -> SecretBytes {
        if let pinFile { return try .pin(file: pinFile) }
        if let pinEnvironment { return try .pin(environment: pinEnvironment) }
        return try .pin(prompt: "PIN of the token \(access.token): ")
    }
}
