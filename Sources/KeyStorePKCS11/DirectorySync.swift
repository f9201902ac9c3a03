internal import Foundation
internal import Synchronization

/// Brings a soft token's files to the disk. SoftHSM writes objects without fsync: a power cut after an acknowledged
/// CreateKey would lose the key.
///
/// The kernel tells which files have changed, so that one new key costs the same beside ten files and beside ten
/// thousand. Files that were there before this began are left alone: whoever made them has brought them to the disk, or
/// has acknowledged nothing.
package final class DirectorySync: Sendable {
    private struct State {
        /// Nil while there is no such directory.
        var watch: DirectoryWatch?
        /// What may not be on the disk as it is.
        var files: Set<String> = []
        var directories: Set<String> = []
    }

    /// The directory that holds the token directories.
    private let path: String
    /// Whoever syncs holds it.
    private let state: Mutex<State>

    package init(path: String) {
        self.path = path
        var state = State()
        if let watch = try? DirectoryWatch(path) {
            // Directories are always synced the first time: an object that is gone may be one whose destruction a
            // killed process could not bring to the disk.
            state.directories = watch.tokenDirectories
            state.watch = watch
        }
        self.state = Mutex(state)
    }

    /// Brings everything to the disk that may have changed since it was brought there last: the files, then the
    /// directories that name them.
    ///
    /// - Returns: how many files and directories were synced.
    @discardableResult
    package func run() throws -> Int {
        try state.withLock { state in
            try Self.look(at: path, &state)
            // What cannot be synced now stays to be synced.
            var count = 0
            for file in state.files {
                try Self.synchronize(file)
                state.files.remove(file)
                count += 1
            }
            for directory in state.directories {
                try Self.synchronize(directory)
                state.directories.remove(directory)
                count += 1
            }
            return count
        }
    }

    private static func look(at path: String, _ state: inout State) throws {
        if let watch = state.watch {
            let changes = try watch.changes()
            state.files.formUnion(changes.files)
            state.directories.formUnion(changes.directories)
            if changes.isComplete { return }
            state.watch = nil
        }
        // What has changed until now nobody knows.
        let watch = try DirectoryWatch(path)
        state.files.formUnion(try watch.allFiles())
        state.directories.formUnion(watch.tokenDirectories)
        state.watch = watch
    }

    /// Other tokens and objects may go at any time, and what is gone needs no sync.
    private static func synchronize(_ path: String) throws {
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            try handle.synchronize()
        } catch {
            if FileManager.default.fileExists(atPath: path) { throw error }
        }
    }
}
