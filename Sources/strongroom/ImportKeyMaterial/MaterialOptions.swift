import ArgumentParser
import Cryptography
import Foundation
import KMSModel
import KeyCeremony
import PKCS11
import SecureMemory

/// Where the key material comes from.
struct MaterialOptions: ParsableArguments {
    @Option(
        help: """
            A file with the material: raw bytes, or a private key in PEM or DER (PKCS#8, PKCS#1, SEC 1). \
            - is standard input.
            """, completion: .file())
    var materialFile: String?

    @Flag(help: "Make the material here. Nobody else has it, and it is written nowhere.")
    var generate = false

    @Option(help: "The PKCS#11 module of a token with an extractable key, which the token wraps.", completion: .file())
    var fromToken: String?

    @Option(help: "With --from-token: the label of the token.")
    var token: String?

    @Option(help: "With --from-token: the label of the key.")
    var tokenKeyLabel: String?

    @Option(name: .customLong("token-key-id"), help: "With --from-token: the id of the key, in hexadecimal.")
    var tokenKeyID: String?

    @Option(help: "With --from-token: the module's own initialisation string, where it needs one.")
    var initString: String?

    @Option(help: "With --from-token: a file with the PIN, mode 0600. Else the PIN is asked for.", completion: .file())
    var pinFile: String?

    @Option(help: "With --from-token: the environment variable with the PIN.")
    var pinEnvironment: String?

    @Flag(
        help: """
            With --from-token: where the token cannot wrap by itself as KMS wants it, wrap the key in the wiped memory \
            of this machine.
            """)
    var allowHostMemory = false

    func validate() throws {
        guard [materialFile != nil, generate, fromToken != nil].filter({ $0 }).count == 1 else {
            throw ValidationError("one of --material-file, --generate and --from-token is needed")
        }
        guard fromToken != nil else {
            let others = [token, tokenKeyLabel, tokenKeyID, initString, pinFile, pinEnvironment]
            guard others.allSatisfy({ $0 == nil }), !allowHostMemory else {
                throw ValidationError(
                    "--token, --token-key-label, --token-key-id, --init-string, --pin-file, --pin-environment and "
                        + "--allow-host-memory go with --from-token")
            }
            return
        }
        guard token != nil, tokenKeyLabel != nil || tokenKeyID != nil else {
            throw ValidationError("--from-token needs --token, and --token-key-label or --token-key-id")
        }
        guard pinFile == nil || pinEnvironment == nil else {
            throw ValidationError("--pin-file and --pin-environment exclude each other")
        }
        if let tokenKeyID, Self.bytes(hexadecimal: tokenKeyID) == nil {
            throw ValidationError("--token-key-id \(tokenKeyID) is not hexadecimal")
        }
    }

    enum Source: Sendable {
        case contents(SecretBytes, name: String)
        case generated
        case token(TokenKeyName, pin: SecretBytes, allowsHostMemory: Bool)
    }

    /// Longer than any key in PEM with comments around it.
    private static let largestFile = 1 << 16

    /// Reads what there is to read, and asks for the PIN.
    func source() throws -> Source {
        if let materialFile {
            guard materialFile != "-" else {
                return .contents(try SecretFile.readStandardInput(limit: Self.largestFile), name: "standard input")
            }
            let contents = try SecretFile.readWhole(materialFile, limit: Self.largestFile)
            if contents.isReadableByOthers {
                CeremonyReport.warn("\(materialFile) can be read by others: chmod 600 \(materialFile)")
            }
            return .contents(contents.bytes, name: materialFile)
        }
        guard let fromToken, let token else { return .generated }
        var name = TokenKeyName(modulePath: fromToken, tokenLabel: token)
        name.keyLabel = tokenKeyLabel
        name.keyID = tokenKeyID.flatMap(Self.bytes(hexadecimal:))
        name.initString = initString
        return .token(name, pin: try pin(token), allowsHostMemory: allowHostMemory)
    }

    private func pin(_ token: String) throws -> SecretBytes {
        if let pinFile { return try .pin(file: pinFile) }
        if let pinEnvironment { return try .pin(environment: pinEnvironment) }
        return try .pin(prompt: "PIN of the token \(token): ")
    }

    private static func bytes(hexadecimal text: String) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, !digits.isEmpty, digits.count % 2 == 0 else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

/// Material that has been looked at and fits the key spec.
enum PreparedMaterial: Sendable {
    case contents(KeyMaterial, name: String)
    case generated(KeyMaterial)
    case token(TokenKey)

    init(_ source: MaterialOptions.Source, for keySpec: KeySpec) throws {
        switch source {
        case .contents(let bytes, let name):
            self = .contents(try KeyMaterial(contents: bytes, for: keySpec, name: name), name: name)
        case .generated: self = .generated(try .generate(keySpec))
        case .token(let name, let pin, let allowsHostMemory):
            self = .token(try TokenKey(name, pin: pin, for: keySpec, allowsHostMemory: allowsHostMemory))
        }
    }

    /// Whether plaintext material is, or will be, in the memory of this machine.
    ///
    /// Errors: a sentence when the material cannot be wrapped this way.
    func isInHostMemory(_ algorithm: AlgorithmSpec) throws -> Bool {
        if case .token(let key) = self { try key.exposesMaterialToHost(algorithm) } else { true }
    }

    func wrapped(with parameters: ImportParameters) throws -> [UInt8] {
        switch self {
        case .contents(let material, _), .generated(let material): try material.wrapped(with: parameters)
        case .token(let key): try key.wrapped(with: parameters)
        }
    }
}
