internal import Glibc
public import SecureMemory

/// Why a PIN cannot be had from where the configuration says it is. Never holds any of it.
public struct PINUnreadable: Error, Sendable, CustomStringConvertible {
    public let reason: String
    public var description: String { reason }
}

/// A PIN travels file or environment → `SecretBytes` → C_Login, never through `String` or `Data`.
extension SecretBytes {
    /// The longest PIN file that is read.
    private static let longestPIN = 1024

    /// The contents of a file, without one line ending at its end. The file must not be open to the group or to
    /// others. Symbolic links are followed: secret mounts are made of them.
    public static func pin(file path: String) throws(PINUnreadable) -> SecretBytes {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw PINUnreadable(reason: "the PIN file \(path) cannot be opened: \(lastError())")
        }
        defer { _ = close(descriptor) }
        // Asked of the open file, not of the path, which may name another file by now.
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw PINUnreadable(reason: "the PIN file \(path) is not a regular file")
        }
        guard status.st_mode & (S_IRWXG | S_IRWXO) == 0 else {
            throw PINUnreadable(
                reason: "the PIN file \(path) is open to its group or to others; it must have mode 0600")
        }
        let contents = try SecretBytes(capacity: longestPIN + 1) { output throws(PINUnreadable) in
            try unsafe output.withUnsafeMutableBufferPointer { buffer, written throws(PINUnreadable) in
                while written < buffer.count {
                    let count = unsafe read(
                        descriptor, buffer.baseAddress.map { unsafe $0 + written }, buffer.count - written)
                    guard count >= 0 else {
                        throw PINUnreadable(reason: "the PIN file \(path) cannot be read: \(lastError())")
                    }
                    if count == 0 { break }
                    written += count
                }
            }
        }
        let pin = contents.withBytes { bytes in
            var end = bytes.count
            if end > 0, bytes[end - 1] == UInt8(ascii: "\n") { end -= 1 }
            if end > 0, bytes[end - 1] == UInt8(ascii: "\r") { end -= 1 }
            return SecretBytes(copying: bytes.extracting(0..<end))
        }
        guard (1...longestPIN).contains(pin.count) else {
            throw PINUnreadable(reason: "the PIN file \(path) must hold 1 to \(longestPIN) bytes")
        }
        return pin
    }

    /// The value of an environment variable. It stays readable in the environment of the process: a file is better.
    public static func pin(environment name: String) throws(PINUnreadable) -> SecretBytes {
        guard let value = unsafe getenv(name), unsafe strlen(value) > 0 else {
            throw PINUnreadable(reason: "the environment variable \(name) is not set")
        }
        let count = unsafe strlen(value)
        return SecretBytes(capacity: count) { output in
            for index in 0..<count { unsafe output.append(UInt8(bitPattern: value[index])) }
        }
    }

    /// `user:password`, the form that devices with named users take as PIN.
    public static func pin(user: String, password: SecretBytes) -> SecretBytes {
        SecretBytes(capacity: user.utf8.count + 1 + password.count) { output in
            for byte in user.utf8 { output.append(byte) }
            output.append(UInt8(ascii: ":"))
            password.withBytes { bytes in
                for index in bytes.indices { output.append(bytes[index]) }
            }
        }
    }

    private static func lastError() -> String { unsafe String(cString: strerror(errno)) }
}
