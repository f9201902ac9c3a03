import Foundation
import KeyStorePKCS11

/// The page of `strongroom doctor`, for a person who has never seen the device.
struct DoctorPage {
    let examination: TokenExamination

    var text: String {
        [device, encryption, abilities, imports, safety, latencies].map { $0.joined(separator: "\n") }
            .joined(separator: "\n\n")
    }

    private var device: [String] {
        let device = examination.device
        var lines = [
            "DEVICE",
            row("Module", device.module),
            row("Token", "\(device.label), serial number \(device.serialNumber)"),
            row("Model", "\(device.manufacturer) \(device.model), firmware \(device.firmwareVersion)"),
            row("Sessions", (device.maximumSessions.map { "at most \($0)" } ?? "no limit told") + readOnlySessions),
            row("Objects", "\(device.objectCount), \(room)"),
            row("Copies in session memory", copies),
        ]
        if device.hasPINPad {
            lines.append(
                row("PIN", "the token has a keypad; a server needs profile.ignoresPINPad and the PIN in a file"))
        }
        if device.isPINCountLow {
            lines.append(row("PIN", "CKF_USER_PIN_COUNT_LOW: a wrong PIN was given since the last right one"))
        }
        if device.isPINToBeChanged == true {
            lines.append(row("PIN", "CKF_USER_PIN_TO_BE_CHANGED: the device wants another PIN than this one"))
        }
        return lines
    }

    private var readOnlySessions: String {
        examination.device.opensReadOnlySessions == false ? "; read-only ones are refused, and not needed" : ""
    }

    private var room: String {
        guard let free = examination.device.freePrivateMemory else { return "how many more fit is not told" }
        return "\(free)" + (examination.device.totalPrivateMemory.map { " of \($0)" } ?? "") + " bytes free"
    }

    private var copies: String {
        switch examination.sessionCopyRefusal {
        case ""?: "can be made"
        case let refusal?: "no: \(refusal)"
        case nil: "not asked"
        }
    }

    private var encryption: [String] {
        let iv =
            switch examination.gcmIV {
            case "caller"?: "yes; the server gives the IV"
            case .some: "yes; the token makes the IV"
            case nil: "no: \(examination.gcmRefusal ?? "")"
            }
        return [
            "ENCRYPTION", row("AES-256-GCM", iv),
            row("RSA-OAEP", examination.oaepHashes.isEmpty ? "no" : examination.oaepHashes.joined(separator: ", ")),
        ]
    }

    private var abilities: [String] {
        ["KMS KEYS"]
            + examination.abilities.flatMap { ability in
                let name = "\(ability.keySpec), \(ability.keyUsage)"
                let works = ability.algorithms.keys.sorted()
                guard !works.isEmpty else {
                    return ["  no   \(name): \(Set(ability.refusals.values).sorted().joined(separator: "; "))"]
                }
                let isWhole = ability.refusals.isEmpty
                return ["  \(isWhole ? "yes " : "part") \(name): \(works.joined(separator: ", "))"]
                    + ability.refusals.sorted { $0.key < $1.key }.map { "         without \($0.key): \($0.value)" }
            }
    }

    private var imports: [String] {
        ["IMPORTED KEY MATERIAL"]
            + examination.imports.map { entry in
                "  \(entry.path == nil ? "no  " : "yes ") \(entry.keySpec): \(entry.path ?? entry.reason ?? "")"
            }
    }

    private var safety: [String] {
        ["SAFETY"]
            + (examination.safetyFindings.isEmpty
                ? ["  nothing was found that gives keys away"] : examination.safetyFindings.map { "  ! \($0)" })
    }

    private var latencies: [String] {
        ["LATENCY (session keys, one at a time; external key stores of AWS have 250 ms)"]
            + examination.latencies.map { latency in
                row(
                    latency.operation,
                    "median \(milliseconds(latency.medianMicroseconds)), p99 \(milliseconds(latency.p99Microseconds))"
                        + (latency.p99Microseconds > 250_000 ? "  ! too slow for an external key store" : ""))
            }
    }

    private func milliseconds(_ microseconds: Int) -> String {
        let hundredths = (microseconds + 5) / 10
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100) ms"
    }

    private func row(_ name: String, _ value: String) -> String {
        "  \(name.padding(toLength: max(name.count, 31), withPad: " ", startingAt: 0)) \(value)"
    }
}
