internal import Glibc

/// Why an audit line was not written, or is not on the disk. A sentence for the log.
public struct AuditError: Error, CustomStringConvertible, Sendable {
    public let description: String

    init(_ description: String) { self.description = description }

    static func system(_ activity: String, _ path: String) -> AuditError {
        let text = unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)"
        return AuditError("cannot \(activity) \(path): \(text)")
    }
}

/// One file of audit lines, open for appending; readable by its owner only. Closed with its last reference.
final class AuditFile: Sendable {
    static let nameEnd = ".jsonl"

    let path: String
    private let descriptor: Int32

    /// The number of the first line, so that names in order are lines in order and a missing file shows.
    static func name(firstLine: UInt64) -> String {
        let digits = String(firstLine)
        return "audit-" + String(repeating: "0", count: max(0, 16 - digits.utf8.count)) + digits + nameEnd
    }

    /// The number that a file name gives; nil for files that are not ours.
    static func firstLine(ofFileNamed name: String) -> UInt64? {
        guard name.hasPrefix("audit-"), name.hasSuffix(nameEnd) else { return nil }
        let digits = name.dropFirst("audit-".count).dropLast(nameEnd.count)
        guard let number = UInt64(digits), self.name(firstLine: number) == name else { return nil }
        return number
    }

    /// Makes a new file, or opens one that is there.
    init(_ path: String, isNew: Bool) throws(AuditError) {
        let flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (isNew ? O_CREAT | O_EXCL : 0)
        descriptor = unsafe open(path, flags, 0o600)
        guard descriptor >= 0 else { throw .system(isNew ? "create" : "open", path) }
        self.path = path
    }

    deinit { close(descriptor) }

    /// Hands all of a line to the operating system. When that fails, nothing of it stays in the file.
    ///
    /// - Parameter offset: the length of the file before.
    func append(_ line: [UInt8], at offset: Int) throws(AuditError) {
        var done = 0
        while done < line.count {
            let put = unsafe line.withUnsafeBytes { bytes in
                unsafe write(descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done)
            }
            if put < 0 && errno == EINTR { continue }
            guard put > 0 else {
                let error = AuditError.system("write", path)
                if done > 0, ftruncate(descriptor, off_t(offset)) != 0 { throw .system("cut half a line off", path) }
                throw error
            }
            done += put
        }
    }

    /// Cuts off what stands behind `length`.
    func cut(to length: Int) throws(AuditError) {
        guard ftruncate(descriptor, off_t(length)) == 0 else { throw .system("cut half a line off", path) }
    }

    /// Waits until all that was appended is on the disk.
    func sync() throws(AuditError) {
        guard fdatasync(descriptor) == 0 else { throw .system("sync", path) }
    }

    static func syncDirectory(_ path: String) throws(AuditError) {
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system("sync", path) }
    }
}
