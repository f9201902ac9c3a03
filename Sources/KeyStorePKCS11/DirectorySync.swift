internal import Foundation

/// Brings a soft token's files to the disk. SoftHSM writes objects without fsync: a power cut after an acknowledged
/// CreateKey would lose the key.
struct DirectorySync: Sendable {
    /// The directory that holds the token directories.
    let path: String

    /// File times have the granularity of the kernel's tick; a whole second costs nothing and is beyond doubt.
    private static let margin: TimeInterval = 1

    /// Brings everything that has changed since `start` to the disk: the files, then the directories that name them.
    func run(changedSince start: Date) throws {
        let since = start.addingTimeInterval(-Self.margin)
        let root = URL(fileURLWithPath: path, isDirectory: true)
        for directory in try contents(of: root) {
            try tolerantly(directory) { try runInside(directory, since) }
        }
    }

    private func runInside(_ directory: URL, _ since: Date) throws {
        // Making or removing a file changes the time of its directory, so an old one has nothing new.
        guard try directory.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true,
            try changeTime(of: directory) >= since
        else { return }
        for file in try contents(of: directory) {
            try tolerantly(file) {
                if try changeTime(of: file) >= since { try synchronize(file) }
            }
        }
        try synchronize(directory)
    }

    /// Other tokens and objects may go at any time, and what is gone needs no sync.
    private func tolerantly(_ url: URL, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            if FileManager.default.fileExists(atPath: url.path) { throw error }
        }
    }

    private func contents(of directory: URL) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: directory, includingPropertiesForKeys: [.contentModificationDateKey])
    }

    private func changeTime(of url: URL) throws -> Date {
        try url.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate ?? .distantFuture
    }

    private func synchronize(_ url: URL) throws {
        let handle = try FileHandle(forReadingFrom: url)
        defer { try? handle.close() }
        try handle.synchronize()
    }
}
