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

    @Test func `What was there before is left alone, but for the directory`() throws {
        try write("old", "1")
        let sync = DirectorySync(path: root.path)
        #expect(try sync.run() == 1)
    }

    @Test func `Files that come, change and go are synced once`() throws {
        for number in 0..<20 { try write("old-\(number)", "1") }
        let sync = DirectorySync(path: root.path)
        try write("new", "1")
        // With its directory.
        #expect(try sync.run() == 2)
        #expect(try sync.run() == 0)
        try write("old-3", "2")
        try write("old-3", "3")
        #expect(try sync.run() == 1)
        try FileManager.default.removeItem(at: token.appendingPathComponent("new"))
        #expect(try sync.run() == 1)
        try write("passing", "1")
        try FileManager.default.moveItem(
            at: token.appendingPathComponent("passing"), to: token.appendingPathComponent("staying"))
        // What is gone counts, and needs nothing.
        #expect(try sync.run() == 3)
        #expect(try sync.run() == 0)
    }

    @Test func `A file whose time of modification is set back is synced`() throws {
        try write("object", "1")
        let sync = DirectorySync(path: root.path)
        _ = try sync.run()
        let path = token.appendingPathComponent("object").path
        let handle = try #require(FileHandle(forWritingAtPath: path))
        try handle.write(contentsOf: Data("2".utf8))
        try handle.close()
        try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: 0)], ofItemAtPath: path)
        #expect(try sync.run() == 1)
    }

    @Test func `Tokens that come later are synced, and those that go are forgotten`() throws {
        let sync = DirectorySync(path: root.path)
        _ = try sync.run()
        let other = root.appendingPathComponent("other")
        try FileManager.default.createDirectory(at: other, withIntermediateDirectories: false)
        try Data([1]).write(to: other.appendingPathComponent("first"))
        // The file, its directory, and the one that names that.
        #expect(try sync.run() == 3)
        try Data([1]).write(to: other.appendingPathComponent("second"))
        #expect(try sync.run() == 2)
        try FileManager.default.removeItem(at: other)
        _ = try sync.run()
        #expect(try sync.run() == 0)
    }

    @Test func `A directory that comes late is synced as a whole`() throws {
        let place = root.appendingPathComponent("late")
        let sync = DirectorySync(path: place.path)
        #expect(throws: (any Error).self) { try sync.run() }
        try FileManager.default.createDirectory(
            at: place.appendingPathComponent("token"), withIntermediateDirectories: true)
        for number in 0..<3 { try Data([1]).write(to: place.appendingPathComponent("token/\(number)")) }
        #expect(try sync.run() == 4)
        #expect(try sync.run() == 0)
        // And again, after somebody has put another one in its place.
        try FileManager.default.removeItem(at: place)
        try FileManager.default.createDirectory(
            at: place.appendingPathComponent("token"), withIntermediateDirectories: true)
        #expect(try sync.run() >= 1)
        try Data([1]).write(to: place.appendingPathComponent("token/object"))
        #expect(try sync.run() == 2)
    }

    @Test func `More changes than the kernel keeps cost a sync of everything`() throws {
        for number in 0..<5 { try write("old-\(number)", "1") }
        let sync = DirectorySync(path: root.path)
        _ = try sync.run()
        let text = try String(contentsOfFile: "/proc/sys/fs/inotify/max_queued_events", encoding: .utf8)
        let limit = try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
        let handles = try (0..<2).map { number in
            try #require(FileHandle(forWritingAtPath: token.appendingPathComponent("old-\(number)").path))
        }
        // In turn: the kernel puts equal events together.
        for number in 0..<(limit + 10) { try handles[number % 2].write(contentsOf: Data([1])) }
        #expect(try sync.run() == 6)
        #expect(try sync.run() == 0)
    }
}
