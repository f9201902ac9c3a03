internal import Foundation
internal import Glibc
internal import Synchronization

/// A process that the benchmark starts and ends, whatever happens.
final class ChildProcess: Sendable {
    private let process: Process
    private let logURL: URL

    private static let running = Mutex<[Process]>([])

    /// Starts `executable`; what it says goes into a file in `directory` and is quoted when it fails.
    init(_ executable: URL, _ arguments: [String], environment: [String: String] = [:], directory: URL) throws {
        process = Process()
        logURL = directory.appending(path: UUID().uuidString + ".log")
        guard FileManager.default.createFile(atPath: logURL.path, contents: nil) else {
            throw BenchmarkError("cannot write \(logURL.path)")
        }
        process.executableURL = executable
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let log = try FileHandle(forWritingTo: logURL)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = log
        process.standardError = log
        try process.run()
        Self.running.withLock { [process] in $0.append(process) }
    }

    var processID: Int32 { process.processIdentifier }

    /// Everything that the process has said.
    var output: String { (try? String(contentsOf: logURL, encoding: .utf8)) ?? "" }

    /// Waits until `url` holds JSON of type `Value`, for at most a minute.
    func waitForFile<Value: Decodable>(_ url: URL, as type: Value.Type = Value.self) async throws -> Value {
        for _ in 0..<1200 {
            if let data = try? Data(contentsOf: url), let value = try? JSONDecoder().decode(type, from: data) {
                return value
            }
            guard process.isRunning else { break }
            try await Task.sleep(for: .milliseconds(50))
        }
        let name = process.executableURL?.path ?? "the process"
        throw BenchmarkError("\(name) did not get ready:\n\(output.suffix(2000))")
    }

    /// Waits until the process ends by itself and gives back what it said.
    func waitForOutput() throws -> String {
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchmarkError("\(process.arguments?.first ?? "a process") failed:\n\(output.suffix(2000))")
        }
        return output
    }

    /// Asks the process to end, and makes it end after ten seconds.
    func stop() { Self.stop(process) }

    deinit { Self.stop(process) }

    private static func stop(_ process: Process) {
        running.withLock { $0.removeAll { $0 === process } }
        guard process.isRunning else { return }
        process.terminate()
        for _ in 0..<200 where process.isRunning { usleep(50_000) }
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
    }

    /// Ends what is running when the user or the system ends the benchmark. Keep the result alive.
    static func stopAllOnSignals(_ cleanUp: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                for process in running.withLock({ $0 }) { stop(process) }
                cleanUp()
                exit(128 + number)
            }
            source.resume()
            return source
        }
    }
}
