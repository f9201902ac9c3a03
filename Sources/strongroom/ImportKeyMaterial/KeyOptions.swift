public import ArgumentParser
import Foundation
import KMSClient
public import KMSModel
import KeyCeremony
import KeyStores

extension KeySpec: ExpressibleByArgument {}
extension KeyUsageType: ExpressibleByArgument {}
extension AlgorithmSpec: ExpressibleByArgument {}
extension WrappingKeySpec: ExpressibleByArgument {}
extension ImportType: ExpressibleByArgument {}

/// Where the service is and who calls it.
struct ServiceOptions: ParsableArguments {
    @Option(
        name: .customLong("endpoint-url"),
        help: "Where the KMS API is served; else AWS_ENDPOINT_URL_KMS, AWS_ENDPOINT_URL, the profile, or AWS.")
    var endpointURL: String?

    @Option(help: "The Region; else AWS_REGION, AWS_DEFAULT_REGION or the profile.")
    var region: String?

    @Option(help: "The profile of the AWS config and credentials files; else AWS_PROFILE or default.")
    var profile: String?

    @Flag(
        name: .customLong("allow-plain-http"),
        help: "Call an http endpoint that is not on this machine. Whoever is in between can get the key material.")
    var allowsPlainHTTP = false

    func settings() throws -> ClientSettings {
        var options = ClientOptions()
        (options.endpointURL, options.region, options.profile) = (endpointURL, region, profile)
        options.allowsPlainHTTP = allowsPlainHTTP
        return try ClientSettings.resolve(options, environment: ProcessInfo.processInfo.environment)
    }
}

/// The KMS key that takes the material.
struct KeyOptions: ParsableArguments {
    @Option(name: .customLong("key-id"), help: "The id or the ARN of a KMS key of origin EXTERNAL.")
    var keyID: String?

    @Flag(help: "Create the KMS key first, with the flags below.")
    var createKey = false

    @Option(help: "With --create-key: the key spec.")
    var keySpec: KeySpec?

    @Option(help: "With --create-key: the key usage, where the key spec leaves a choice.")
    var keyUsage: KeyUsageType?

    @Option(help: "With --create-key: the description.")
    var description: String?

    @Option(
        name: .customLong("custom-key-store-id"),
        help: "With --create-key, on Strongroom only: the key store whose token takes the material.")
    var customKeyStoreID: String?

    func validate() throws {
        guard (keyID != nil) != createKey else { throw ValidationError("either --key-id or --create-key is needed") }
        guard createKey || (keySpec == nil && keyUsage == nil && description == nil && customKeyStoreID == nil) else {
            throw ValidationError(
                "--key-spec, --key-usage, --description and --custom-key-store-id go with --create-key")
        }
        if createKey { _ = try creation() }
    }

    /// Looks the key up, or makes up its mind about the new one.
    func target(_ kms: RemoteKMS) async throws -> ImportTarget {
        guard let keyID else {
            let creation = try creation()
            return ImportTarget(keySpec: creation.keySpec, place: .new(creation))
        }
        let key = try await kms.describeKey(keyID)
        guard key.origin == OriginType.external.rawValue else {
            throw CeremonyError(
                "\(key.arn) has the origin \(key.origin): only a key that was created with the origin EXTERNAL takes "
                    + "key material")
        }
        guard let keySpec = KeySpec(rawValue: key.keySpec) else {
            throw CeremonyError("\(key.arn) has the key spec \(key.keySpec), which this version does not know")
        }
        return ImportTarget(keySpec: keySpec, place: .existing(key))
    }

    private func creation() throws -> ExternalKeyCreation {
        let keySpec = keySpec ?? .symmetricDefault
        let usages = KeyUsageType.allCases.filter { !keySpec.algorithms(for: $0).isEmpty }
        guard let usage = keyUsage ?? (usages.count == 1 ? usages.first : nil) else {
            throw ValidationError(
                "\(keySpec.rawValue) keys need --key-usage: \(usages.map(\.rawValue).joined(separator: " or "))")
        }
        return ExternalKeyCreation(
            keySpec: keySpec, keyUsage: usage, description: description, customKeyStoreId: customKeyStoreID)
    }
}

/// The KMS key of a ceremony. A new one is made as late as possible: after the material has been looked at.
struct ImportTarget: Sendable {
    enum Place {
        case existing(KeyDescription)
        case new(ExternalKeyCreation)
    }

    let keySpec: KeySpec
    fileprivate let place: Place

    var isNew: Bool {
        if case .new = place { true } else { false }
    }

    func arn(_ kms: RemoteKMS, _ report: CeremonyReport) async throws -> String {
        let key =
            switch place {
            case .existing(let key): key
            case .new(let creation): try await kms.createKey(creation)
            }
        report.key(key, isNew: isNew)
        return key.arn
    }
}
