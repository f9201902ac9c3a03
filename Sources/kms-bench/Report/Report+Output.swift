internal import Foundation

extension Report {
    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// A table in Markdown, and the verdict.
    func summary(maxRatio: Double?) -> String {
        var lines = [
            "CPU: \(processor)", "Build of kms-bench: \(build.rawValue)", "Server: \(binary)", "",
            Self.line("floor", ["requests/s", "p50 µs", "p99 µs", "CPU µs"]), Self.rule(columns: 4),
        ]
        for connections in echo.keys.sorted() {
            guard let measurement = echoFloor(connections) else { continue }
            lines.append(Self.line("echo/c\(connections)", Self.cells(measurement)))
        }
        for (store, floor) in floors.sorted(by: { $0.key < $1.key }) {
            for operation in Operation.allCases where store == "software" || operation.isForTokens {
                let cells = ["", "", "", floor[operation].map { Self.number($0, digits: 2) } ?? "none"]
                lines.append(Self.line("\(operation.rawValue)/\(store)/32B", cells))
            }
        }
        let titles = ["requests/s", "p50 µs", "p99 µs", "CPU µs", "floors µs", "ratio"]
        lines += ["", Self.line("workload", titles), Self.rule(columns: 6)]
        for row in rows {
            let floor = [Self.number(floorMicroseconds(row), digits: 1), Self.number(ratio(row), digits: 2)]
            lines.append(Self.line(row.name, Self.cells(row.measurement) + floor))
        }
        lines += ["", verdict(maxRatio)]
        return lines.joined(separator: "\n")
    }

    private func verdict(_ maxRatio: Double?) -> String {
        let worst = "the worst ratio is \(Self.number(worstRatio, digits: 2))"
        guard let maxRatio else { return worst }
        let limit = Self.number(maxRatio, digits: 2)
        return worstRatio <= maxRatio ? "PASS: \(worst), at most \(limit)" : "FAIL: \(worst), more than \(limit)"
    }

    private static func cells(_ measurement: Measurement) -> [String] {
        [
            number(measurement.requestsPerSecond, digits: 0), number(measurement.p50Microseconds, digits: 0),
            number(measurement.p99Microseconds, digits: 0), number(measurement.cpuMicrosecondsPerRequest, digits: 1),
        ]
    }

    private static func line(_ name: String, _ cells: [String]) -> String {
        let padded = name.padding(toLength: 42, withPad: " ", startingAt: 0)
        let right = cells.map { String(repeating: " ", count: max(0, 10 - $0.count)) + $0 }
        return "| " + ([padded] + right).joined(separator: " | ") + " |"
    }

    private static func rule(columns: Int) -> String {
        let cells = [String(repeating: "-", count: 42)] + Array(repeating: "---------:", count: columns)
        return "| " + cells.joined(separator: " | ") + " |"
    }

    private static func number(_ value: Double, digits: Int) -> String {
        let style = FloatingPointFormatStyle<Double>.number.precision(.fractionLength(digits)).grouping(.never)
        return value.formatted(style.locale(Locale(identifier: "en_US_POSIX")))
    }
}
