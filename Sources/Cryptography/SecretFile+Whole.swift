internal import Glibc
public import SecureMemory

extension SecretFile {
    /// All of a file that somebody else made.
    public struct Contents: Sendable {
        public let bytes: SecretBytes
        /// Whether a group or everybody may read the file.
        public let isReadableByOthers: Bool
    }

    /// Reads a file of unknown length, up to `limit` bytes. A pipe is fine too.
    ///
    /// Errors: `notFound`; `wrongLength` for a longer or an empty file; `inputOutput`.
    public static func readWhole(_ path: String, limit: Int) throws(Failure) -> Contents {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            let code: Failure.Code = errno == ENOENT ? .notFound : .inputOutput
            throw failure(code, "cannot open", path)
        }
        defer { close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw failure(.inputOutput, "cannot examine", path) }
        let isReadableByOthers = status.st_mode & S_IFMT == S_IFREG && status.st_mode & 0o044 != 0
        return Contents(bytes: try read(file, path, limit), isReadableByOthers: isReadableByOthers)
    }

    /// The same of standard input.
    public static func readStandardInput(limit: Int) throws(Failure) -> SecretBytes {
        try read(STDIN_FILENO, "standard input", limit)
    }

    private static func read(_ file: CInt, _ name: String, _ limit: Int) throws(Failure) -> SecretBytes {
        let bytes = try SecretBytes(capacity: limit + 1) { output throws(Failure) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(Failure) in
                while initialized < output.count {
                    let got = unsafe Glibc.read(
                        file, output.baseAddress?.advanced(by: initialized), output.count - initialized)
                    if got < 0 && errno == EINTR { continue }
                    guard got >= 0 else { throw failure(.inputOutput, "cannot read", name) }
                    if got == 0 { break }
                    initialized += got
                }
            }
        }
        guard 1...limit ~= bytes.count else {
            let held = bytes.count == 0 ? "nothing" : "more than \(limit) bytes"
            throw Failure(code: .wrongLength, reason: "\(name) holds \(held)")
        }
        return bytes
    }
}
