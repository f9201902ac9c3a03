internal import Glibc

/// Room on the disk that is kept for the lines of calls which are being carried out when the disk runs full: a file
/// that holds nothing and is given up for them. While it is missing, no call begins.
struct AuditReserve {
    /// Lines of ten calls that are as long as lines can be, and of thousands of usual ones.
    static let byteCount = 2 << 20

    private let directory: String
    private var path: String { directory + "/reserve" }
    private(set) var isFilled = false

    init(directory: String) {
        self.directory = directory
        // One that a killed process left may be half filled.
        unsafe unlink(path)
    }

    mutating func fill() throws(AuditError) {
        guard !isFilled else { return }
        // Asked first: an attempt that fails takes the last room from others for a moment.
        var status = statvfs()
        guard unsafe statvfs(directory, &status) == 0 else { throw .system("look at the disk of", path) }
        guard UInt64(status.f_bavail) * UInt64(status.f_frsize) > UInt64(Self.byteCount) else {
            throw AuditError("there is no room for \(path), which is kept for the lines of calls that have begun")
        }
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw .system("create", path) }
        defer { close(descriptor) }
        let code = posix_fallocate(descriptor, 0, off_t(Self.byteCount))
        guard code == 0 else {
            unsafe unlink(path)
            errno = code
            throw .system("keep room in", path)
        }
        isFilled = true
    }

    /// Gives the room to the lines.
    ///
    /// - Returns: whether there was any.
    mutating func release() -> Bool {
        guard isFilled else { return false }
        isFilled = false
        return unsafe unlink(path) == 0
    }
}
