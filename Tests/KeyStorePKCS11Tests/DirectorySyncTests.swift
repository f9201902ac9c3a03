internal import Foundation
internal import KeyStorePKCS11
internal import Testing

/// Which files are brought to the disk, and how often.
@Suite final class DirectorySyncTests {
    let root: URL
    let token: URL

    init() throws {
        root = FileManager.default.temporaryDirectory.appending(path: "sync-\(UUID().uuidString)")
        token = root.appendingPathComponent("token")
        try FileManager.default.createDirectory(at: token, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    private func write(_ name: String, _ content: String) throws {
        try Data(content.utf8).write(to: token.appendingPathComponent(name))
    }

    /// Lets what was just changed become old enough that nobody can change it again under the same time.
    private func settle() async throws {
        try await Task.sleep(for: .milliseconds(2_100))
    }

    @Test func `What was there before is left alone, but for the directory`() throws {
        try write("old", "1")
        let sync = DirectorySync(path: root.path)
        #expect(try sync.run() == 1)
    }

    @Test func `Files that come, change and go are synced until they have settled`() async throws {
        for number in 0..<20 { try write("old-\(number)", "1") }
        try await settle()
        let sync = DirectorySync(path: root.path)
        try write("new", "1")
        #expect(try sync.run() == 2)
        try await settle()
        // The first look at settled files knows that it has brought them to the disk, but not that nothing came in between.
        #expect(try sync.run() == 2)
        #expect(try sync.run() == 0)
        try write("old-3", "2")
        #expect(try sync.run() == 1)
        try await settle()
        _ = try sync.run()
        try FileManager.default.removeItem(at: token.appendingPathComponent("new"))
        #expect(try sync.run() == 1)
    }

    @Test func `A file whose time of modification is set back is synced`() async throws {
        try write("object", "1")
        try await settle()
        let sync = DirectorySync(path: root.path)
        _ = try sync.run()
        let path = token.appendingPathComponent("object").path
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.write(contentsOf: Data("2".utf8))
        try handle.close()
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: path)
        #expect(try sync.run() == 1)
    }
}
