internal import Foundation
internal import Glibc

/// Knows what changes in a directory and in the directories in it, from the kernel (inotify(7)): an event is there as
/// soon as the call that brought it about has returned.
final class DirectoryWatch {
    struct Changes {
        /// Files that are new or were written to.
        var files: Set<String> = []
        /// Directories in which files came or went.
        var directories: Set<String> = []
        /// False when there were more changes than the kernel keeps: there may be others.
        var isComplete = true
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String

        fileprivate init(_ what: String) {
            description = "\(what): \(POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO).localizedDescription)"
        }
    }

    private let root: String
    private let descriptor: Int32
    /// Those in the root, by the number of their watch.
    private var directories: [Int32: String] = [:]
    private var rootWatch: Int32 = -1

    init(_ root: String) throws {
        self.root = root
        descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw Failure("inotify (fs.inotify.max_user_instances)") }
        guard let number = try watch(root) else { throw Failure("\(root) is not there") }
        rootWatch = number
        for name in try FileManager.default.contentsOfDirectory(atPath: root) { try watchDirectory(root + "/" + name) }
    }

    deinit { close(descriptor) }

    var tokenDirectories: Set<String> { Set(directories.values) }

    func allFiles() throws -> Set<String> {
        var all: Set<String> = []
        for directory in directories.values { all.formUnion(try Self.files(in: directory)) }
        return all
    }

    /// What has changed since it was asked last.
    func changes() throws -> Changes {
        var changes = Changes()
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = unsafe read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return changes }
            guard count > 0 else { throw Failure("inotify") }
            var rest = buffer[..<count]
            while let event = Event(&rest) { try note(event, &changes) }
        }
    }

    // MARK: Watching

    private static let mask = UInt32(
        IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MOVE_SELF | IN_ONLYDIR)

    /// - Returns: the number of the watch; nil if there is no such directory.
    private func watch(_ path: String) throws -> Int32? {
        let number = unsafe inotify_add_watch(descriptor, path, Self.mask)
        if number < 0, errno == ENOENT || errno == ENOTDIR { return nil }
        guard number >= 0 else { throw Failure("inotify on \(path) (fs.inotify.max_user_watches)") }
        return number
    }

    private func watchDirectory(_ path: String) throws {
        if let number = try watch(path) { directories[number] = path }
    }

    private static func files(in directory: String) throws -> [String] {
        guard FileManager.default.fileExists(atPath: directory) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: directory).map { directory + "/" + $0 }
    }

    // MARK: Events

    /// struct inotify_event
    private struct Event {
        let watch: Int32
        let mask: UInt32
        let name: String

        /// Takes the first event from `bytes`; nil where there is none.
        init?(_ bytes: inout ArraySlice<UInt8>) {
            guard bytes.count >= 16 else { return nil }
            let numbers = (0..<4).map { index in
                bytes.dropFirst(index * 4).prefix(4).enumerated().reduce(UInt32(0)) { number, byte in
                    number | UInt32(byte.element) << (8 * UInt32(byte.offset))
                }
            }
            watch = Int32(bitPattern: numbers[0])
            mask = numbers[1]
            bytes = bytes.dropFirst(16)
            name = String(decoding: bytes.prefix(Int(numbers[3])).prefix { $0 != 0 }, as: UTF8.self)
            bytes = bytes.dropFirst(Int(numbers[3]))
        }

        func isAny(of masks: Int32...) -> Bool { masks.contains { mask & UInt32($0) != 0 } }
    }

    private func note(_ event: Event, _ changes: inout Changes) throws {
        if event.isAny(of: IN_Q_OVERFLOW) {
            changes.isComplete = false
        } else if event.isAny(of: IN_IGNORED, IN_MOVE_SELF) {
            directories[event.watch] = nil
            // Another one may have its place by now.
            if event.watch == rootWatch { changes.isComplete = false }
        } else if event.watch == rootWatch {
            try noteInRoot(event, &changes)
        } else if let directory = directories[event.watch] {
            if event.isAny(of: IN_MODIFY, IN_CREATE, IN_MOVED_TO) { changes.files.insert(directory + "/" + event.name) }
            if !event.isAny(of: IN_MODIFY) { changes.directories.insert(directory) }
        }
    }

    /// Token directories come and go; files beside them are nobody's objects.
    private func noteInRoot(_ event: Event, _ changes: inout Changes) throws {
        guard UInt32(bitPattern: IN_ISDIR) & event.mask != 0 else { return }
        changes.directories.insert(root)
        guard event.isAny(of: IN_CREATE, IN_MOVED_TO) else { return }
        let path = root + "/" + event.name
        try watchDirectory(path)
        changes.directories.insert(path)
        changes.files.formUnion(try Self.files(in: path))
    }
}
