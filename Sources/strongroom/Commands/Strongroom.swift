import ArgumentParser

@main
struct Strongroom: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "strongroom",
        abstract: "A server that speaks the AWS KMS API, with keys in software or on a PKCS#11 token.",
        version: "0.1.0",
        subcommands: [
            Dev.self, Serve.self, Initialize.self, ImportKeyMaterial.self, Policy.self, Audit.self, Doctor.self,
            Repair.self, Adopt.self, Keys.self, Version.self,
        ])
}

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Prints the version.")

    func run() { print("strongroom \(Strongroom.configuration.version)") }
}
