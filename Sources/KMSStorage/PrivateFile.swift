internal import Glibc
internal import KMSCore

/// Files that only their owner may read, and that are still there after a power cut.
enum PrivateFile {
    private static let ownerOnly: mode_t = 0o600

    /// Creates an empty file with mode 0600 and makes its directory entry durable; leaves an existing file alone.
    ///
    /// SQLite would create its file with mode 0644 and does not sync the directory of the main file. The log beside it
    /// takes its mode from the main file (https://www.sqlite.org/tempfiles.html).
    static func create(_ path: String) throws(MetadataStoreError) {
        let descriptor = unsafe Glibc.open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, ownerOnly)
        if descriptor < 0 && errno == EEXIST { return }
        guard descriptor >= 0 else { throw failure("create", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", path) }
        try syncDirectory(of: path)
    }

    /// Opens a file for reading and writing, creating it with mode 0600. The caller closes the descriptor.
    static func openOrCreate(_ path: String) throws(MetadataStoreError) -> Int32 {
        let descriptor = unsafe Glibc.open(path, O_CREAT | O_RDWR | O_CLOEXEC, ownerOnly)
        guard descriptor >= 0 else { throw failure("open", path) }
        return descriptor
    }

    private static func syncDirectory(of path: String) throws(MetadataStoreError) {
        let parts = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let directory = parts.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = unsafe Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("open", directory) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("sync", directory) }
    }

    static func failure(_ activity: String, _ path: String) -> MetadataStoreError {
        let code = errno
        let meaning =
            switch code {
            case ENOENT: "its directory does not exist"
            case EACCES, EPERM: "permission denied"
            case EROFS: "the file system is read-only"
            case ENOSPC, EDQUOT: "the disk is full"
            case EISDIR: "it is a directory"
            case ENOTDIR: "a part of its path is not a directory"
            case EMFILE, ENFILE: "too many files are open"
            default: "the system reports error \(code)"
            }
        return MetadataStoreError("cannot \(activity) \(path): \(meaning)")
    }
}
