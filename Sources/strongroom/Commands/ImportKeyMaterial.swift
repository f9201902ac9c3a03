import ArgumentParser
import Foundation
import KMSClient
import KeyCeremony

struct ImportKeyMaterial: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-key-material",
        abstract: "Brings key material of your own into a KMS key, of Strongroom or of AWS.",
        discussion: """
            The whole ceremony in one command:

            strongroom import-key-material --key-id 1234abcd-… --material-file key.bin --expires-in 90d

            Or in three, where the key material is on a machine without a network: `parameters` here, `wrap --offline` \
            there, `import` here. `strongroom help import-key-material ceremony` lists the flags. Endpoint, Region and \
            credentials are found as every AWS client finds them. docs/byok.md walks through all of it.
            """,
        subcommands: [WholeCeremony.self, FetchParameters.self, Wrap.self, ImportWrapped.self],
        defaultSubcommand: WholeCeremony.self)
}

struct WholeCeremony: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ceremony", abstract: "All steps in one; what runs when no step is named.")

    @OptionGroup(title: "KMS key") var key: KeyOptions
    @OptionGroup(title: "Key material") var material: MaterialOptions
    @OptionGroup(title: "Wrapping") var wrapping: WrappingOptions
    @OptionGroup(title: "Import") var importing: ImportOptions
    @OptionGroup(title: "Service") var service: ServiceOptions

    @Flag(help: "Do everything but ImportKeyMaterial. The KMS key stays as it is.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard !(dryRun && key.createKey) else {
            throw ValidationError("--dry-run needs a key that is there already: it would leave a new one behind")
        }
    }

    func run() async throws {
        ProcessProtection.forbidCoreDumps()
        let report = CeremonyReport(isJSON: json)
        let expiration = try importing.expiration(at: Date())
        let source = try material.source()
        try await RemoteKMS.withConnection(service.settings()) { kms in
            let target = try await key.target(kms)
            let material = try PreparedMaterial(source, for: target.keySpec)
            let algorithm = try wrapping.algorithm(for: target.keySpec, material)
            let arn = try await target.arn(kms, report)
            do {
                try report.material(material, algorithm)
                let parameters = try await kms.importParameters(
                    arn, target.keySpec, algorithm, wrapping.wrappingKeySpec)
                try report.parameters(parameters)
                let wrapped = try WrappedMaterial(material.wrapped(with: parameters), parameters)
                report.wrapped(wrapped)
                if dryRun {
                    report.dryRun()
                } else {
                    try await kms.importMaterial(wrapped, parameters, importing, expiration, report)
                }
            } catch {
                if target.isNew { report.warn("the new key \(arn) is there and has no key material") }
                throw error
            }
        }
        try report.finish()
    }
}

struct FetchParameters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parameters",
        abstract: "Fetches what is needed to wrap key material elsewhere, valid for 24 hours.")

    @OptionGroup(title: "KMS key") var key: KeyOptions
    @OptionGroup(title: "Wrapping") var wrapping: WrappingOptions
    @OptionGroup(title: "Service") var service: ServiceOptions

    @Option(name: .customLong("out"), help: "The file to make.", completion: .file())
    var output: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let report = CeremonyReport(isJSON: json)
        try await RemoteKMS.withConnection(service.settings()) { kms in
            let target = try await key.target(kms)
            let algorithm = try wrapping.algorithm(for: target.keySpec, nil)
            let arn = try await target.arn(kms, report)
            let parameters = try await kms.importParameters(arn, target.keySpec, algorithm, wrapping.wrappingKeySpec)
            try CeremonyFile.create(URL(fileURLWithPath: output), parameters)
            try report.parameters(parameters)
        }
        report.file(output)
        try report.finish()
    }
}

struct Wrap: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Wraps key material with parameters that were fetched elsewhere. Never uses a network.")

    @OptionGroup(title: "Key material") var material: MaterialOptions

    @Option(help: "The file that `parameters` made.", completion: .file())
    var parameters: String

    @Option(name: .customLong("out"), help: "The file to make.", completion: .file())
    var output: String

    @Flag(help: "End with an error when this machine has a network connection.")
    var offline = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        ProcessProtection.forbidCoreDumps()
        if offline { try NetworkConnections.requireNone() }
        let report = CeremonyReport(isJSON: json)
        let parameters = try ImportParameters.load(URL(fileURLWithPath: parameters))
        // Before anybody types a PIN for nothing.
        _ = try parameters.checkedPublicKey(at: Date())
        let material = try PreparedMaterial(material.source(), for: parameters.keySpec)
        try report.material(material, parameters.wrappingAlgorithm)
        try report.parameters(parameters)
        let wrapped = try WrappedMaterial(material.wrapped(with: parameters), parameters)
        try CeremonyFile.create(URL(fileURLWithPath: output), wrapped)
        report.wrapped(wrapped)
        report.file(output)
        try report.finish()
    }
}

struct ImportWrapped: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Imports key material that was wrapped elsewhere.")

    @Option(help: "The file that `parameters` made.", completion: .file())
    var parameters: String

    @Option(help: "The file that `wrap` made.", completion: .file())
    var wrapped: String

    @OptionGroup(title: "Import") var importing: ImportOptions
    @OptionGroup(title: "Service") var service: ServiceOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let report = CeremonyReport(isJSON: json)
        let expiration = try importing.expiration(at: Date())
        let parameters = try ImportParameters.load(URL(fileURLWithPath: parameters))
        _ = try parameters.checkedPublicKey(at: Date())
        let wrapped = try WrappedMaterial.load(URL(fileURLWithPath: wrapped), for: parameters)
        try report.parameters(parameters)
        try await RemoteKMS.withConnection(service.settings()) { kms in
            try await kms.importMaterial(wrapped, parameters, importing, expiration, report)
        }
        try report.finish()
    }
}
