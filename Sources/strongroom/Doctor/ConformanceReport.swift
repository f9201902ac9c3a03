/// What came of the conformance suite on a token.
struct ConformanceReport: Encodable {
    struct Entry: Encodable {
        enum Outcome: String, Encodable {
            case passed, skipped, failed
        }

        let subject: String
        let outcome: Outcome
        /// Of what was skipped: the probe's reason. Of a failure: what was wrong.
        var reason: String?
    }

    var entries: [Entry] = []
    /// Somebody stopped it: what is not here was not tried.
    var wasInterrupted = false
    /// Objects of this run that were still there at its end, and are destroyed now.
    var leftBehind = 0
    /// Objects that came or went meanwhile and are nobody of this run.
    var changedByOthers = 0

    /// Nil is a success. 130 is what a shell makes of an interruption.
    var exitCode: Int32? {
        if wasInterrupted { return 130 }
        return entries.contains { $0.outcome == .failed } || leftBehind > 0 ? 1 : nil
    }

    var text: String {
        var lines = ["CONFORMANCE"]
        // What went wrong is read first.
        for outcome in [Entry.Outcome.failed, .skipped, .passed] {
            for entry in entries where entry.outcome == outcome {
                lines.append("  \(Self.mark(outcome)) \(entry.subject)" + (entry.reason.map { ": \($0)" } ?? ""))
            }
        }
        func count(_ outcome: Entry.Outcome) -> Int { entries.count { $0.outcome == outcome } }
        lines.append("  \(count(.passed)) passed, \(count(.skipped)) skipped, \(count(.failed)) failed")
        if wasInterrupted { lines.append("  ! interrupted: the rest was not tried") }
        lines.append(
            leftBehind == 0
                ? "  nothing was left on the token"
                : "  ! \(leftBehind) objects had been left on the token; they are destroyed now")
        if changedByOthers > 0 {
            lines.append("  ! \(changedByOthers) objects came or went meanwhile that are not of this run")
        }
        return lines.joined(separator: "\n")
    }

    private static func mark(_ outcome: Entry.Outcome) -> String {
        switch outcome {
        case .passed: "yes   "
        case .skipped: "no    "
        case .failed: "FAILED"
        }
    }
}
