import ArgumentParser
internal import Foundation

/// How connecting and working grow with the number of keys on a token. docs/benchmarks.md, "Many keys".
struct ManyKeys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compares few keys with many on one token: connecting, and Encrypt with all of them in turn.")

    @Option(help: "The server to measure.", completion: .file())
    var binary = ".build/release/strongroom"

    @Option(help: "How many keys are few.")
    var few = 10

    @Option(help: "How many are many.")
    var many = 5_000

    @Option(help: "How long to measure each number of keys, in seconds.")
    var seconds = 3.0

    @Option(parsing: .upToNextOption, help: "Which tokens, with and without copies in session memory.")
    var tokens: [TokenUnderTest] = TokenUnderTest.allCases

    func validate() throws {
        guard (0.1...3600).contains(seconds) else { throw ValidationError("--seconds is 0.1 to 3600") }
        guard 1 <= few, few < many, many <= 20_000 else { throw ValidationError("1 ≤ --few < --many ≤ 20000") }
    }

    func run() async throws {
        let directory = try Measure.makeDirectory()
        let cleanUp: @Sendable () -> Void = { try? FileManager.default.removeItem(at: directory) }
        defer { cleanUp() }
        let signals = ChildProcess.stopAllOnSignals(cleanUp)
        print("CPU: \(Report.processorName())\nServer: \(binary)\n")
        print(
            "| token | keys | connect ms | CreateKey µs | first Encrypt µs | Encrypt with \(few) keys, CPU µs | ratio "
                + "| with all in turn, CPU µs | ratio |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        for token in tokens { try await measure(token, directory.appending(path: token.rawValue)) }
        withExtendedLifetime(signals) {}
    }

    private func measure(_ token: TokenUnderTest, _ directory: URL) async throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: false)
        try token.prepare(in: directory)
        let server = try await ServerUnderTest(
            binary: URL(filePath: binary), directory: directory,
            options: ["--hsm-config", TokenUnderTest.devices(in: directory).path])
        defer { server.stop() }
        let store = try await server.client.createKeyStore(TokenUnderTest.clusterID, password: TokenUnderTest.pin)
        try await server.client.connect(store)
        var keys: [String] = []
        /// Encrypt with few keys on the token.
        var before: Double?
        for count in [few, many] {
            Measure.say("\(token.rawValue), \(count) keys")
            let creation = try await Self.time(count - keys.count) {
                keys += try await server.client.createKeys(count - keys.count, customKeyStoreID: store)
            }
            try await server.client.disconnect(store)
            let connecting = try await Self.time(1) { try await server.client.connect(store) }
            let requests = try keys.map {
                try server.client.signer.request(
                    "Encrypt", body: KMSClient.encryptBody("aGVsbG8=", keyID: $0, context: ""))
            }
            // Each key once: where there are copies, they are made now.
            let first = try await Self.time(count) {
                for key in keys { _ = try await server.client.encrypt("aGVsbG8=", keyID: key, context: "") }
            }
            let cost = try await processorTime(of: Array(requests.prefix(few)), server)
            let costOfAll = count == few ? cost : try await processorTime(of: requests, server)
            let reference = before ?? cost
            before = reference
            let cells = [
                token.rawValue, "\(count)", Self.number(connecting / 1000), Self.number(creation), Self.number(first),
                Self.number(cost), Self.ratio(cost, reference), Self.number(costOfAll),
                Self.ratio(costOfAll, reference),
            ]
            print("| \(cells.joined(separator: " | ")) |")
        }
    }

    /// In microseconds, of each of `count`.
    private static func time(_ count: Int, _ body: () async throws -> Void) async rethrows -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        try await body()
        let time = clock.now - start
        return (Double(time.components.seconds) * 1e6 + Double(time.components.attoseconds) / 1e12) / Double(count)
    }

    /// Of each request.
    private func processorTime(of requests: [[UInt8]], _ server: ServerUnderTest) async throws -> Double {
        let load = Load(host: server.client.host, port: server.client.port, seconds: seconds)
        return try await load.measure(requests, connections: 16, processID: server.processID).cpuMicrosecondsPerRequest
    }

    private static func ratio(_ value: Double, _ reference: Double) -> String {
        (value / reference).formatted(.number.precision(.fractionLength(2)))
    }

    private static func number(_ value: Double) -> String {
        value.formatted(.number.precision(.fractionLength(0)).grouping(.never))
    }
}
