import ArgumentParser
internal import Foundation

/// The benchmark: starts the server and the floors, loads them, compares.
struct Measure: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures signed requests of 32 bytes on software keys and on SoftHSM keys. docs/benchmarks.md."
    )

    @Option(help: "The server to measure.", completion: .file())
    var binary = ".build/release/strongroom"

    @Option(help: "How long to measure each row, in seconds.")
    var seconds = 3.0

    @Option(help: "Numbers of keep-alive connections, separated by commas.")
    var connections = "1,16,64"

    @Option(parsing: .upToNextOption, help: "What to measure; all of it when absent.")
    var operations: [Operation] = Operation.allCases

    @Option(help: "The SoftHSM library for the token floor.", completion: .file())
    var module: String?

    @Option(help: "Fail when a row costs more than this many times the sum of its floors.")
    var maxRatio: Double?

    @Option(help: "How many grants to put on each key before it is measured, all to the caller, all different.")
    var grants = 0

    @Flag(help: "Print JSON instead of a table.")
    var json = false

    static var ownExecutable: URL { URL(filePath: "/proc/self/exe").resolvingSymlinksInPath() }

    func validate() throws {
        guard (0.1...3600).contains(seconds) else { throw ValidationError("--seconds is 0.1 to 3600") }
        guard (0...50_000).contains(grants) else { throw ValidationError("--grants is 0 to 50000, a key's limit") }
        _ = try connectionCounts()
    }

    func run() async throws {
        let directory = try Self.makeDirectory()
        let cleanUp: @Sendable () -> Void = { try? FileManager.default.removeItem(at: directory) }
        defer { cleanUp() }
        let signals = ChildProcess.stopAllOnSignals(cleanUp)
        let report = try await measure(in: directory)
        withExtendedLifetime(signals) {}
        print(json ? try report.json() : report.summary(maxRatio: maxRatio))
        if let maxRatio, report.worstRatio > maxRatio { throw ExitCode.failure }
    }

    private func measure(in directory: URL) async throws -> Report {
        var report = Report(build: .current, processor: Report.processorName(), binary: binary)
        Self.say("token floor")
        var tokenFloor = try TokenFloor.measure(module: try module ?? Self.softHSM(), directory: directory)
        Self.say("software floor")
        let softwareFloor = try StoreFloor.software()
        for operation in Operation.allCases where !operation.isDoneByStore {
            tokenFloor[operation] = softwareFloor[operation]
        }
        report.floors = ["token": tokenFloor, "software": softwareFloor]

        let server = try await ServerUnderTest(binary: URL(filePath: binary), directory: directory)
        defer { server.stop() }
        let echo = try await EchoUnderTest(directory: directory)
        defer { echo.stop() }

        let stores = [
            try await Workloads(server.client, store: "software", customKeyStoreID: nil, hasGrants: grants > 0),
            try await Workloads(
                server.client, store: "token", customKeyStoreID: server.customKeyStoreID, hasGrants: grants > 0),
        ]
        for workloads in stores where grants > 0 {
            Self.say("\(grants) grants on the \(workloads.store) key")
            try await server.client.createGrants(grants, keyID: workloads.keyID)
        }
        for count in try connectionCounts() {
            try await measureEcho(echo, try stores[0].requests(.encrypt), count, into: &report)
            for workloads in stores {
                for operation in operations where workloads.store == "software" || operation.isForTokens {
                    try await measure(server, workloads, operation, count, into: &report)
                }
                try await measureEcho(echo, try workloads.requests(.encrypt), count, into: &report)
            }
        }
        report.rows.sort { ($0.store, $0.order) < ($1.store, $1.order) }
        return report
    }

    private func measure(
        _ server: ServerUnderTest, _ workloads: Workloads, _ operation: Operation, _ connections: Int,
        into report: inout Report
    ) async throws {
        let name = "\(operation.rawValue)/\(workloads.store)/32B/c\(connections)"
        Self.say(name)
        let load = Load(host: server.client.host, port: server.client.port, seconds: seconds)
        let measurement = try await load.measure(
            try workloads.requests(operation), connections: connections, processID: server.processID
        )
        report.rows.append(
            Report.Row(
                name: name, order: report.rows.count, store: workloads.store, operation: operation,
                connections: connections, measurement: measurement
            )
        )
    }

    /// Run between the rows that it is compared with. What a wake-up costs differs from one moment to the next on a
    /// virtual machine; the median of the runs counts.
    private func measureEcho(
        _ echo: EchoUnderTest, _ requests: [[UInt8]], _ connections: Int, into report: inout Report
    ) async throws {
        Self.say("echo/c\(connections)")
        let load = Load(host: "127.0.0.1", port: echo.port, seconds: seconds)
        report.echo[connections, default: []].append(
            try await load.measure(requests, connections: connections, processID: echo.processID)
        )
    }

    private func connectionCounts() throws -> [Int] {
        let counts = connections.split(separator: ",").map { Int($0) }
        guard !counts.isEmpty, counts.allSatisfy({ (1...4096).contains($0 ?? 0) }) else {
            throw ValidationError("--connections is a list of numbers from 1 to 4096, such as 1,16,64")
        }
        return counts.compactMap(\.self)
    }

    static func softHSM() throws -> String {
        // Where Debian, Fedora and a build from source put it.
        let places = [
            "/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so",
            "/usr/local/lib/softhsm/libsofthsm2.so",
        ]
        guard let found = places.first(where: FileManager.default.fileExists(atPath:)) else {
            throw BenchmarkError("there is no libsofthsm2.so; install softhsm2 or give --module")
        }
        return found
    }

    /// Memory, not a disk: the token's files shall not make one run differ from the next.
    static func makeDirectory() throws -> URL {
        let memory = URL(filePath: "/dev/shm")
        let base =
            FileManager.default.isWritableFile(atPath: memory.path) ? memory : FileManager.default.temporaryDirectory
        let directory = base.appending(path: "kms-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700]
        )
        return directory
    }

    /// Progress, for a person who waits.
    static func say(_ text: String) {
        FileHandle.standardError.write(Data("… \(text)\n".utf8))
    }
}
