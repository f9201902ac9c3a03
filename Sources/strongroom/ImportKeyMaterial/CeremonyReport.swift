import Foundation
import KMSClient
import KMSModel
import KeyCeremony
import SecureMemory
import Synchronization

/// Tells what was done: line by line as it happens, or as one JSON object at the end. The names of its members are in
/// docs/byok.md and stay.
final class CeremonyReport: Sendable {
    private struct Content: Encodable {
        var keyArn: String?
        var keySpec: String?
        var keyCreated: Bool?
        var materialSource: String?
        /// Whether plaintext material was in the memory of this machine.
        var materialInHostMemory: Bool?
        var wrappingAlgorithm: String?
        var wrappingKeySpec: String?
        var publicKeyFingerprint: String?
        var parametersValidTo: String?
        var encryptedByteCount: Int?
        var file: String?
        var imported = false
        var dryRun: Bool?
        var keyMaterialId: String?
        var keyState: String?
        var expirationModel: String?
        var validTo: String?
    }

    private let isJSON: Bool
    private let content = Mutex(Content())

    init(isJSON: Bool) { self.isJSON = isJSON }

    func key(_ key: KeyDescription, isNew: Bool) {
        content.withLock { content in
            (content.keyArn, content.keySpec, content.keyState) = (key.arn, key.keySpec, key.keyState)
            content.keyCreated = isNew
        }
        say(isNew ? "Created key" : "Key", "\(key.arn) (\(key.keySpec), \(key.keyState))")
    }

    func material(_ material: PreparedMaterial, _ algorithm: AlgorithmSpec) throws {
        let isInHostMemory = try material.isInHostMemory(algorithm)
        let (source, sentence): (String, String) =
            switch material {
            case .contents(let material, let name): ("file", "\(material.bytes.count) bytes from \(name)")
            case .generated: ("generated", "made here; nobody else has it, so that it can never be imported again")
            case .token(let key):
                (
                    "token",
                    "a key on the token \(key.name.tokenLabel), "
                        + (isInHostMemory
                            ? "wrapped in the memory of this machine" : "wrapped by the token and never outside of it")
                )
            }
        content.withLock { content in
            content.materialSource = source
            content.materialInHostMemory = isInHostMemory
        }
        say("Material", sentence)
    }

    func parameters(_ parameters: ImportParameters) throws {
        let fingerprint = try parameters.fingerprint
        let validTo = CeremonyFile.text(parameters.validTo)
        content.withLock { content in
            content.keyArn = parameters.keyArn
            content.keySpec = parameters.keySpec.rawValue
            content.wrappingAlgorithm = parameters.wrappingAlgorithm.rawValue
            content.wrappingKeySpec = parameters.wrappingKeySpec.rawValue
            content.publicKeyFingerprint = fingerprint
            content.parametersValidTo = validTo
        }
        say(
            "Parameters",
            "\(parameters.wrappingAlgorithm.rawValue) with \(parameters.wrappingKeySpec.rawValue), "
                + "valid until \(validTo)"
        )
        say("Public key", "SHA-256 \(fingerprint)")
    }

    func wrapped(_ wrapped: WrappedMaterial) {
        let count = wrapped.encryptedKeyMaterial.count
        content.withLock { $0.encryptedByteCount = count }
        say("Wrapped", "\(count) bytes that only the service can unwrap")
    }

    func file(_ path: String) {
        content.withLock { $0.file = path }
        say("Written", path)
    }

    func dryRun() {
        content.withLock { $0.dryRun = true }
        say("Dry run", "everything was done but ImportKeyMaterial; the key is as it was")
    }

    func imported(_ answer: MaterialImportAnswer, _ key: KeyDescription) {
        let validTo = key.validTo.map { CeremonyFile.text(Date(timeIntervalSince1970: $0)) }
        content.withLock { content in
            content.imported = true
            (content.keyArn, content.keySpec, content.keyState) = (key.arn, key.keySpec, key.keyState)
            content.keyMaterialId = answer.keyMaterialId
            (content.expirationModel, content.validTo) = (key.expirationModel, validTo)
        }
        say("Imported", answer.keyMaterialId.map { "key material \($0)" } ?? "the key material of the key")
        say("Key", "\(key.keyState), \(validTo.map { "expires \($0)" } ?? "does not expire")")
    }

    /// Prints the JSON, if it is asked for.
    func finish() throws {
        guard isJSON else { return }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        print(String(decoding: try encoder.encode(content.withLock { $0 }), as: UTF8.self))
    }

    func warn(_ sentence: String) { Self.warn(sentence) }

    static func warn(_ sentence: String) {
        FileHandle.standardError.write(Data("Warning: \(sentence)\n".utf8))
    }

    private func say(_ label: String, _ text: String) {
        guard !isJSON else { return }
        print(label.padding(toLength: 13, withPad: " ", startingAt: 0) + text)
    }
}
