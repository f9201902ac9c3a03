import KeyStorePKCS11

/// What is not as it was in an earlier examination, as after an update of the firmware. Latencies are not compared:
/// they differ each time.
struct ExaminationComparison {
    let before: TokenExamination
    let now: TokenExamination

    /// One sentence for each difference.
    var differences: [String] {
        let (before, now) = (facts(before), facts(now))
        return before.merging(now) { before, _ in before }.keys.sorted().compactMap { name in
            let (before, now) = (before[name], now[name])
            // An earlier version did not ask.
            guard before != now, before != nil || !Self.askedLater.contains(name) else { return nil }
            return "\(name): \(before ?? "not there") → \(now ?? "not there")"
        }
    }

    private static let readOnlySessions = "read-only sessions"
    private static let copies = "copies in session memory"
    private static let askedLater = [readOnlySessions, copies]

    private func facts(_ examination: TokenExamination) -> [String: String] {
        let device = examination.device
        var facts = [
            "module": device.module, "token label": device.label, "serial number": device.serialNumber,
            "model": "\(device.manufacturer) \(device.model)", "firmware": device.firmwareVersion,
            "sessions": device.maximumSessions.map(String.init) ?? "no limit told",
            "AES-256-GCM IV": examination.gcmIV ?? "no: \(examination.gcmRefusal ?? "")",
            "RSA-OAEP": examination.oaepHashes.joined(separator: ", "),
        ]
        facts[Self.readOnlySessions] = device.opensReadOnlySessions.map { $0 ? "yes" : "no" }
        facts[Self.copies] = examination.sessionCopyRefusal.map { $0.isEmpty ? "yes" : "no: \($0)" }
        for ability in examination.abilities {
            for (algorithm, method) in ability.algorithms {
                facts["\(ability.keySpec) \(ability.keyUsage) \(algorithm)"] = "yes, \(method)"
            }
            for (algorithm, reason) in ability.refusals {
                facts["\(ability.keySpec) \(ability.keyUsage) \(algorithm)"] = "no, \(reason)"
            }
        }
        for entry in examination.imports {
            facts["import of \(entry.keySpec)"] = entry.path.map { "yes, \($0)" } ?? "no, \(entry.reason ?? "")"
        }
        for finding in examination.safetyFindings { facts["safety: \(finding)"] = "found" }
        return facts
    }
}
