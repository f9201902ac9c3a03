import ArgumentParser
import Foundation
import KeyStorePKCS11

struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Examines a PKCS#11 token: what it can do for KMS keys, how safely, and how fast.",
        discussion: """
            Logs in once, works with session objects only, and leaves nothing behind. The end of the page is a file \
            for hsm-config/. docs/lab-hsm.md goes on from there.
            """)

    @OptionGroup var token: TokenOptions

    @Flag(help: "Print JSON, for --compare and for machines.")
    var json = false

    @Option(
        help: "A file that --json has written: print what is not as it was, and end with 1 if anything is not.",
        completion: .file())
    var compare: String?

    func run() throws {
        ProcessProtection.forbidCoreDumps()
        let earlier = try compare.map { path in
            do {
                return try JSONDecoder().decode(
                    TokenExamination.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
            } catch {
                throw ConfigurationError("\(path) is no examination that `strongroom doctor --json` has written")
            }
        }
        let examination = try TokenExaminer.examine(token.access, pin: token.pin())
        if let earlier {
            let differences = ExaminationComparison(before: earlier, now: examination).differences
            for difference in differences { print(difference) }
            print("\(differences.count) differences")
            guard differences.isEmpty else { throw ExitCode(1) }
        } else if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(examination), as: UTF8.self))
        } else {
            print(DoctorPage(examination: examination).text)
            print("\nFOR hsm-config/")
            print(examination.configuration(modulePath: token.module, initString: token.initString), terminator: "")
        }
    }
}
