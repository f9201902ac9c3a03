internal import Foundation
internal import NIOCore
internal import NIOPosix

/// What a server did under load, and what it cost.
struct Measurement: Codable {
    let requestsPerSecond: Double
    let p50Microseconds: Double
    let p99Microseconds: Double
    /// CPU time of the server's process, all threads, user and system.
    let cpuMicrosecondsPerRequest: Double
}

/// Puts load on a server: one event loop, so that the client takes at most one core.
struct Load {
    let host: String
    let port: Int
    let seconds: Double
    /// Before anything is counted: connections are made, caches are filled.
    let warmUpSeconds = 0.5

    private let group = MultiThreadedEventLoopGroup.singleton
    private let loop: any EventLoop

    init(host: String, port: Int, seconds: Double) {
        self.host = host
        self.port = port
        self.seconds = seconds
        loop = group.next()
    }

    /// Replays `requests` over `connections` keep-alive connections and reads the CPU time of `processID`.
    func measure(_ requests: [[UInt8]], connections: Int, processID: Int32) async throws -> Measurement {
        let tally = NIOLoopBoundBox.makeBoxSendingValue(Tally(), eventLoop: loop)
        let buffers = requests.map(ByteBuffer.init(bytes:))
        var channels: [any Channel] = []
        for index in 0..<connections {
            let bootstrap = ClientBootstrap(group: loop).channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        LoadConnection(requests: buffers, first: index, tally: tally.value)
                    )
                }
            }
            channels.append(try await bootstrap.connect(host: host, port: port).get())
        }
        try await Task.sleep(for: .seconds(warmUpSeconds))
        let start = try await snapshot(tally, of: processID) { $0.startCounting() }
        try await Task.sleep(for: .seconds(seconds))
        let end = try await snapshot(tally, of: processID) { $0.stop() }
        for channel in channels { try await channel.closeFuture.get() }
        return try await loop.submit {
            if let failure = tally.value.failure { throw failure }
            return try Measurement(latencies: tally.value.latencies, start: start, end: end)
        }.get()
    }

    fileprivate struct Snapshot: Sendable {
        let time: NIODeadline
        let processorTime: Double
    }

    /// Reads both clocks between two requests, on the event loop itself.
    private func snapshot(
        _ tally: NIOLoopBoundBox<Tally>, of processID: Int32, _ change: @escaping @Sendable (Tally) -> Void
    ) async throws -> Snapshot {
        try await loop.submit {
            change(tally.value)
            return Snapshot(time: .now(), processorTime: try ProcessorTime.seconds(of: processID))
        }.get()
    }
}

extension Measurement {
    fileprivate init(latencies: [Int64], start: Load.Snapshot, end: Load.Snapshot) throws {
        guard !latencies.isEmpty else { throw BenchmarkError("the server answered nothing while it was measured") }
        let sorted = latencies.sorted()
        func percentile(_ percent: Int) -> Double { Double(sorted[(sorted.count - 1) * percent / 100]) / 1000 }
        let seconds = Double((end.time - start.time).nanoseconds) / 1e9
        self.init(
            requestsPerSecond: Double(sorted.count) / seconds,
            p50Microseconds: percentile(50),
            p99Microseconds: percentile(99),
            cpuMicrosecondsPerRequest: (end.processorTime - start.processorTime) * 1e6 / Double(sorted.count)
        )
    }
}
