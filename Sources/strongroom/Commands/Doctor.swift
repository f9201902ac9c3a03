import ArgumentParser
import Foundation
import KeyStorePKCS11

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Examines a PKCS#11 token: what it can do for KMS keys, how safely, and how fast.",
        discussion: """
            Logs in once, works with session objects only, and leaves nothing behind. The end of the page is a file \
            for hsm-config/. docs/lab-hsm.md goes on from there.

            --conformance writes to the token: it makes some hundred keys there, each with a CKA_ID of its own, and \
            destroys them. At its end, and when it is interrupted, it looks whether any is left, and destroys that too.
            """)

    @OptionGroup var token: TokenOptions

    @Flag(help: "Print JSON, for --compare and for machines.")
    var json = false

    @Option(
        help: "A file that --json has written: print what is not as it was, and end with 1 if anything is not.",
        completion: .file())
    var compare: String?

    @Flag(
        help: "Also hold the token against everything that the server expects of a key store. This writes to the token."
    )
    var conformance = false

    func validate() throws {
        guard compare == nil || !conformance else {
            throw ValidationError("--compare and --conformance exclude each other")
        }
    }

    func run() async throws {
        ProcessProtection.forbidCoreDumps()
        let earlier = try compare.map { path in
            do {
                return try JSONDecoder().decode(
                    TokenExamination.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
            } catch {
                throw ConfigurationError("\(path) is no examination that `strongroom doctor --json` has written")
            }
        }
        let pin = try token.pin()
        let examination = try TokenExaminer.examine(token.access, pin: pin)
        if let earlier {
            let differences = ExaminationComparison(before: earlier, now: examination).differences
            for difference in differences { print(difference) }
            print("\(differences.count) differences")
            guard differences.isEmpty else { throw ExitCode(1) }
            return
        }
        var report: ConformanceReport?
        if conformance {
            report = try await ConformanceExamination(
                token: token.access, pin: pin, examination: examination, showsProgress: !json
            ).run()
        }
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            let output = DoctorOutput(examination: examination, conformance: report)
            print(String(decoding: try encoder.encode(output), as: UTF8.self))
        } else {
            print(DoctorPage(examination: examination).text)
            if let report { print("\n" + report.text) }
            print("\nFOR hsm-config/")
            print(examination.configuration(modulePath: token.module, initString: token.initString), terminator: "")
        }
        if let report, let code = report.exitCode { throw ExitCode(code) }
    }
}

/// What --json prints: an examination, and in it what came of the conformance suite.
private struct DoctorOutput: Encodable {
    let examination: TokenExamination
    let conformance: ConformanceReport?

    private enum Keys: CodingKey {
        case conformance
    }

    func encode(to encoder: any Encoder) throws {
        try examination.encode(to: encoder)
        var values = encoder.container(keyedBy: Keys.self)
        try values.encodeIfPresent(conformance, forKey: .conformance)
    }
}
