internal import Foundation

/// The real server on a throw-away data directory, with one custom key store on SoftHSM.
final class ServerUnderTest {
    /// What the ready file of `strongroom dev` holds.
    private struct Ready: Decodable {
        let endpoint: URL
        let customKeyStoreId: String?
    }

    let client: KMSClient
    let customKeyStoreID: String
    private let process: ChildProcess

    var processID: Int32 { process.processID }

    /// - Parameter options: more of `strongroom dev`.
    init(binary: URL, directory: URL, options: [String] = []) async throws {
        guard FileManager.default.isExecutableFile(atPath: binary.path) else {
            throw BenchmarkError("there is no server at \(binary.path); run: swift build -c release")
        }
        let readyFile = directory.appending(path: "ready.json")
        process = try ChildProcess(
            binary,
            [
                "dev", "--port", "0", "--ready-file", readyFile.path,
                "--data-directory", directory.appending(path: "data").path, "--default-store", "software",
            ] + options,
            directory: directory
        )
        let ready: Ready = try await process.waitForFile(readyFile)
        guard let host = ready.endpoint.host(), let port = ready.endpoint.port else {
            throw BenchmarkError("the endpoint \(ready.endpoint) has no port")
        }
        guard let customKeyStoreID = ready.customKeyStoreId else {
            throw BenchmarkError("the server has no token: install softhsm2")
        }
        client = KMSClient(host: host, port: port)
        self.customKeyStoreID = customKeyStoreID
    }

    func stop() { process.stop() }
}

/// The echo server, in a process of its own, so that its CPU time can be told from the client's.
final class EchoUnderTest {
    let port: Int
    private let process: ChildProcess

    var processID: Int32 { process.processID }

    init(directory: URL) async throws {
        let readyFile = directory.appending(path: "echo.json")
        process = try ChildProcess(
            Measure.ownExecutable, ["echo-server", "--ready-file", readyFile.path], directory: directory
        )
        let ready: EchoServer.Ready = try await process.waitForFile(readyFile)
        port = ready.port
    }

    func stop() { process.stop() }
}
