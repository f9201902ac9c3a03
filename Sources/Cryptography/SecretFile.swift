internal import Glibc
public import SecureMemory

/// Small files that hold a secret: readable by their owner only, written once and never changed.
public enum SecretFile {
    /// Why a file was not read or written. `reason` is a sentence for the operator and names the file.
    public struct Failure: Error, CustomStringConvertible, Sendable {
        public enum Code: Sendable, Hashable {
            case notFound, alreadyExists, notPrivate, wrongLength, inputOutput
        }

        public let code: Code
        public let reason: String

        public var description: String { reason }
    }

    /// Reads a file of exactly `count` bytes.
    ///
    /// Errors: `notFound`; `notPrivate` when it is no regular file, when anybody but the owner may read or write
    /// it, or when the owner is neither this user nor root; `wrongLength`; `inputOutput`.
    public static func read(_ path: String, count: Int) throws(Failure) -> SecretBytes {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            let code: Failure.Code = errno == ENOENT ? .notFound : .inputOutput
            throw failure(code, "cannot open", path)
        }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw failure(.inputOutput, "cannot examine", path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(code: .notPrivate, reason: "\(path) is not a regular file")
        }
        guard status.st_mode & 0o077 == 0, status.st_uid == geteuid() || status.st_uid == 0 else {
            throw Failure(
                code: .notPrivate,
                reason: "\(path) holds a secret but others than this server's user can read, change or own it; "
                    + "if nobody has read it, make it private: chown \(geteuid()) '\(path)' && chmod 600 '\(path)'")
        }
        guard status.st_size == count else {
            throw Failure(
                code: .wrongLength,
                reason: "\(path) must hold exactly \(count) bytes but holds \(status.st_size); restore it from a backup"
            )
        }
        return try SecretBytes(capacity: count) { output throws(Failure) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(Failure) in
                while initialized < count {
                    let got = unsafe Glibc.read(
                        file, output.baseAddress?.advanced(by: initialized), count - initialized)
                    if got < 0 && errno == EINTR { continue }
                    guard got > 0 else { throw failure(.inputOutput, "cannot read", path) }
                    initialized += got
                }
            }
        }
    }

    /// Makes a new file of mode 0600, durable when this returns. A crash at any point leaves either no file or the
    /// whole one under `path`; a leftover of an interrupted attempt (`path` + ".new") is replaced.
    ///
    /// Errors: `alreadyExists`, and then nothing was changed; `inputOutput`.
    public static func create(_ path: String, _ bytes: SecretBytes) throws(Failure) {
        let unfinished = path + ".new"
        guard unsafe unlink(unfinished) == 0 || errno == ENOENT else {
            throw failure(.inputOutput, "cannot remove", unfinished)
        }
        let file = unsafe open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(.inputOutput, "cannot create", unfinished) }
        defer {
            close(file)
            unsafe unlink(unfinished)
        }
        let written = bytes.withBytes { bytes in
            unsafe bytes.withUnsafeBufferPointer { bytes in
                var done = 0
                while done < bytes.count {
                    let put = unsafe write(file, bytes.baseAddress?.advanced(by: done), bytes.count - done)
                    if put < 0 && errno == EINTR { continue }
                    guard put > 0 else { return false }
                    done += put
                }
                return true
            }
        }
        guard written, fsync(file) == 0 else { throw failure(.inputOutput, "cannot write", unfinished) }
        // link(2) refuses to replace, which rename(2) would not.
        guard unsafe link(unfinished, path) == 0 else {
            throw failure(errno == EEXIST ? .alreadyExists : .inputOutput, "cannot create", path)
        }
        try syncDirectory(of: path)
    }

    private static func syncDirectory(of path: String) throws(Failure) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let parent = parts.dropLast().joined(separator: "/")
        let directory = parts.count == 1 ? "." : parent.isEmpty ? "/" : parent
        let handle = unsafe open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { throw failure(.inputOutput, "cannot open", directory) }
        defer { close(handle) }
        guard fsync(handle) == 0 else { throw failure(.inputOutput, "cannot sync", directory) }
    }

    static func failure(_ code: Failure.Code, _ what: String, _ path: String) -> Failure {
        let text = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)"
        return Failure(code: code, reason: "\(what) \(path): \(text)")
    }
}
