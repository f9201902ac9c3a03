import Foundation
import KMSServer
import Testing

/// Files of audit lines: their chain, their ends, and what happens when they cannot be written.
@Suite struct AuditLogTests {
    /// Goes with the test.
    private final class Place: Sendable {
        let url = FileManager.default.temporaryDirectory.appending(path: "audit-\(UUID().uuidString)")

        deinit { try? FileManager.default.removeItem(at: url) }
    }

    private let place = Place()
    private var directory: URL { place.url }

    private func open(
        _ mode: AuditLog.Mode = .on, fileByteLimit: Int = AuditLog.maximumFileBytes
    ) throws -> AuditLog {
        try AuditLog(directory: directory.path, mode: mode, fileByteLimit: fileByteLimit, logger: TestServer.logger)
    }

    private func object(_ number: Int) -> [UInt8] { Array(#"{"eventName":"Test","number":\#(number)}"#.utf8) }

    private var files: [URL] {
        get throws {
            try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
                .sorted { $0.lastPathComponent < $1.lastPathComponent }
        }
    }

    private func lineCount() throws -> UInt64? {
        try AuditVerification(directory: directory.path).lines.map { $0.upperBound - $0.lowerBound + 1 }
    }

    @Test func `An empty log has no lines and no file`() throws {
        _ = try open()
        #expect(try AuditVerification(directory: directory.path).lines == nil)
        #expect(try files.isEmpty)
    }

    @Test func `Lines of many tasks make one chain`() async throws {
        let log = try open(.required)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<200 { group.addTask { try await log.record(object(number)) } }
            try await group.waitForAll()
        }
        #expect(try AuditVerification(directory: directory.path).lines == 1...200)
    }

    @Test func `A full file is followed by another one, and the chain goes through all`() throws {
        let log = try open(fileByteLimit: 1000)
        for number in 0..<50 { try log.append(object(number)) }
        let sizes = try files.map { try $0.resourceValues(forKeys: [.fileSizeKey]).fileSize ?? 0 }
        #expect(sizes.count > 5 && sizes.allSatisfy { $0 <= 1000 })
        #expect(try lineCount() == 50)
    }

    @Test func `The next process goes on after the last line`() throws {
        try open(fileByteLimit: 1000).append(object(1))
        try open(fileByteLimit: 1000).append(object(2))
        #expect(try lineCount() == 2 && files.count == 1)
    }

    @Test func `Old files may go, others may not`() throws {
        let log = try open(fileByteLimit: 500)
        for number in 0..<20 { try log.append(object(number)) }
        try FileManager.default.removeItem(at: files[0])
        #expect(try AuditVerification(directory: directory.path).lines?.upperBound == 20)
        try FileManager.default.removeItem(at: files[1])
        #expect(throws: AuditVerification.BadLine.self) { try AuditVerification(directory: directory.path) }
    }

    @Test func `A file under another name is found out`() throws {
        let log = try open()
        for number in 0..<3 { try log.append(object(number)) }
        try FileManager.default.moveItem(
            at: files[0], to: directory.appending(path: "audit-0000000000000007.jsonl"))
        #expect(throws: AuditVerification.BadLine.self) { try AuditVerification(directory: directory.path) }
    }

    @Test func `What was written after a verification does not change what it printed`() throws {
        let log = try open()
        try log.append(object(1))
        let noted = try AuditVerification(directory: directory.path).lastLineSHA256
        try log.append(object(2))
        #expect(try AuditVerification(directory: directory.path, noted: noted).lines == 1...2)
        let file = try files[0]
        let second = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")[1]
        try Data("\(second)\n".utf8).write(to: file)
        #expect(throws: (any Error).self) { try AuditVerification(directory: directory.path, noted: noted) }
    }

    /// The directory is moved away, so that the next file cannot be made.
    @Test(arguments: AuditLog.Mode.allCases)
    func `Lines that could not be written are counted, and told when others can`(mode: AuditLog.Mode) async throws {
        let log = try open(mode, fileByteLimit: 200)
        try await log.record(object(1))
        log.close()
        let elsewhere = directory.appendingPathExtension("away")
        try FileManager.default.moveItem(at: directory, to: elsewhere)
        for number in 2...4 {
            await #expect(throws: AuditError.self) { try await log.record(object(number)) }
            if mode == .required { #expect(throws: AuditError.self) { try log.checkReadiness() } }
        }
        try FileManager.default.moveItem(at: elsewhere, to: directory)
        try log.checkReadiness()
        try await log.record(object(5))
        #expect(try lineCount() == 3)
        let text = try files.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
        #expect(text.contains(#""eventName":"AuditLinesLost""#) && text.contains(#""lines":3"#))
    }

    @Test func `Half a line at the end is cut off`() throws {
        try open().append(object(1))
        let file = try files[0]
        try (Data(contentsOf: file) + Data(#"{"event"#.utf8)).write(to: file)
        try open().append(object(2))
        #expect(try lineCount() == 2)
    }

    @Test func `A file with nothing but half a line is made anew`() throws {
        try open(fileByteLimit: 200).append(object(1))
        try Data("{".utf8).write(to: directory.appending(path: "audit-0000000000000002.jsonl"))
        try open(fileByteLimit: 200).append(object(2))
        #expect(try lineCount() == 2 && files.count == 2)
    }

    @Test(arguments: ["x\n", "{}\n", "{\"strongroomChain\":{\"sequence\":0,\"previousLineSHA256\":\"\"}}\n", "\n"])
    func `A log that ends in something else is not continued`(end: String) throws {
        try open().append(object(1))
        let file = try files[0]
        try (Data(contentsOf: file) + Data(end.utf8)).write(to: file)
        #expect(throws: AuditError.self) { try open() }
    }
}
