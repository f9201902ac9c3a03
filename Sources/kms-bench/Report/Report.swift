internal import Foundation

/// The result of one run.
struct Report: Codable {
    enum Build: String, Codable {
        case debug, release

        static var current: Build {
            #if DEBUG
                .debug
            #else
                .release
            #endif
        }
    }

    struct Row: Codable {
        /// Workload, store, size and connections: `encrypt/software/32B/c16`.
        let name: String
        /// When it was measured, counted from 0.
        let order: Int
        let store: String
        let operation: Operation
        let connections: Int
        let measurement: Measurement
    }

    let build: Build
    let processor: String
    let binary: String
    /// The bare operations by store.
    var floors: [String: StoreFloor] = [:]
    /// The runs of the echo server by number of connections.
    var echo: [Int: [Measurement]] = [:]
    var rows: [Row] = []

    init(build: Build, processor: String, binary: String) {
        self.build = build
        self.processor = processor
        self.binary = binary
    }

    /// CPU time of an echo at the same number of connections and of the bare operation.
    func floorMicroseconds(_ row: Row) -> Double {
        // What was not measured makes every ratio infinite, so that it cannot pass.
        guard let floor = floors[row.store]?[row.operation], let echo = echoFloor(row.connections) else { return 0 }
        return echo.cpuMicrosecondsPerRequest + floor
    }

    /// The median of the runs by CPU time.
    func echoFloor(_ connections: Int) -> Measurement? {
        let runs = (echo[connections] ?? []).sorted { $0.cpuMicrosecondsPerRequest < $1.cpuMicrosecondsPerRequest }
        return runs.isEmpty ? nil : runs[runs.count / 2]
    }

    func ratio(_ row: Row) -> Double { row.measurement.cpuMicrosecondsPerRequest / floorMicroseconds(row) }

    var worstRatio: Double { rows.map(ratio).max() ?? .infinity }

    static func processorName() -> String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
        return "\(name), \(ProcessInfo.processInfo.activeProcessorCount) cores"
    }
}
