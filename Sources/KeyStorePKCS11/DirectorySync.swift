internal import Foundation
internal import Glibc
internal import Synchronization

/// Brings a soft token's files to the disk. SoftHSM writes objects without fsync: a power cut after an acknowledged
/// CreateKey would lose the key.
///
/// What was brought there before and has not changed since is left alone: a token has thousands of files, and fsync of a
/// clean one takes milliseconds. So are files that were there before this began: whoever made them has brought them to the
/// disk, or has acknowledged nothing.
package final class DirectorySync: Sendable {
    /// What changes whenever a file does. Nobody can set the time of the last change (st_ctim), unlike that of the last
    /// modification.
    private struct Stamp: Hashable {
        let inode: UInt
        let size: Int
        let seconds: Int
        let nanoseconds: Int

        init(_ status: stat) {
            inode = status.st_ino
            size = status.st_size
            (seconds, nanoseconds) = (status.st_ctim.tv_sec, status.st_ctim.tv_nsec)
        }

        /// File times have the granularity of the kernel's tick: within it a file can change again under the same stamp.
        /// A whole second is beyond doubt. A time in the future comes from a clock that has jumped, and is as good as now.
        var isSettled: Bool { time(nil) - seconds > 1 }
    }

    /// The directory that holds the token directories.
    private let path: String
    /// By path: files and directories that need no sync as they are. Whoever syncs holds it.
    private let synced: Mutex<[String: Stamp]>

    package init(path: String) {
        self.path = path
        var present: [String: Stamp] = [:]
        // What cannot be read now is synced later. Directories are always synced the first time: an object that is gone may
        // be one whose destruction a killed process could not bring to the disk.
        try? Self.forEach(in: path) { file, stamp, isDirectory in
            if !isDirectory { present[file] = stamp }
        }
        synced = Mutex(present)
    }

    /// Brings everything to the disk that may have changed since it was brought there last: the files, then the directories
    /// that name them.
    ///
    /// - Returns: how many files and directories were synced.
    @discardableResult
    package func run() throws -> Int {
        try synced.withLock { synced in
            var seen: [String: Stamp] = [:]
            var changed: [String] = []
            // All stamps before the first sync: a change that comes while it runs gives another stamp.
            try Self.forEach(in: path) { file, stamp, _ in
                if synced[file] != stamp { changed.append(file) }
                if stamp.isSettled { seen[file] = stamp }
            }
            for file in changed { try Self.tolerantly(file) { try synchronize(file) } }
            synced = seen
            return changed.count
        }
    }

    private func synchronize(_ path: String) throws {
        let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        defer { try? handle.close() }
        try handle.synchronize()
    }

    /// The files of each token directory, then the directory.
    private static func forEach(in path: String, _ body: (String, Stamp, _ isDirectory: Bool) -> Void) throws {
        for directory in try names(in: path) {
            try tolerantly(directory) {
                let status = try status(of: directory)
                guard status.st_mode & S_IFMT == S_IFDIR else { return }
                for file in try names(in: directory) {
                    try tolerantly(file) { body(file, Stamp(try Self.status(of: file)), false) }
                }
                // Its stamp is from before its files were listed: what comes later gives another one.
                body(directory, Stamp(status), true)
            }
        }
    }

    /// Other tokens and objects may go at any time, and what is gone needs no sync.
    private static func tolerantly(_ path: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            if FileManager.default.fileExists(atPath: path) { throw error }
        }
    }

    private static func names(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).map { directory + "/" + $0 }
    }

    private static func status(of path: String) throws -> stat {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
        return status
    }
}
