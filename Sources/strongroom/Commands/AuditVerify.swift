import ArgumentParser
import Foundation
import KMSServer

struct Audit: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The audit log of an installation.", subcommands: [AuditVerify.self])
}

struct AuditVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Checks that no line of an audit log was changed, taken out or put in.",
        discussion: """
            Ends with 1 and names the first bad line if there is one. Prints the SHA-256 of the last line: whoever notes it \
            elsewhere can tell with --noted later that nothing up to there has changed. docs/audit.md.
            """)

    @Argument(help: "The directory of the log: audit in the data directory.", completion: .directory)
    var directory: String

    @Option(help: "A SHA-256 that an earlier run has printed; a line must have it.")
    var noted: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        do {
            let verification = try AuditVerification(directory: directory, noted: noted?.lowercased())
            try print(Report(verification), text: Self.sentence(verification))
        } catch {
            try print(Report(error), text: "\(error)")
            throw ExitCode(1)
        }
    }

    private static func sentence(_ verification: AuditVerification) -> String {
        guard let lines = verification.lines else { return "There are no lines." }
        return "Lines \(lines.lowerBound) to \(lines.upperBound) are in order. The SHA-256 of the last one is "
            + "\(verification.lastLineSHA256)."
    }

    private func print(_ report: Report, text: String) throws {
        guard json else { return Swift.print(text) }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        Swift.print(String(decoding: try encoder.encode(report), as: UTF8.self))
    }

    private struct Report: Encodable {
        var isInOrder: Bool
        var firstLine: UInt64?
        var lastLine: UInt64?
        var lastLineSHA256: String?
        var badFile: String?
        var badFileLine: Int?
        var reason: String?

        init(_ verification: AuditVerification) {
            isInOrder = true
            firstLine = verification.lines?.lowerBound
            lastLine = verification.lines?.upperBound
            lastLineSHA256 = verification.lines == nil ? nil : verification.lastLineSHA256
        }

        init(_ error: any Error) {
            isInOrder = false
            reason = "\(error)"
            if let bad = error as? AuditVerification.BadLine {
                (badFile, badFileLine, reason) = (bad.path, bad.line, bad.reason)
            }
        }
    }
}
