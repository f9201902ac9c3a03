import Cryptography
import Foundation
import SecureMemory

/// Files and directories that only their owner may read.
enum PrivateFile {
    /// Makes a directory with mode 0700; one that is there already stays as it is.
    static func makeDirectory(_ directory: URL) throws {
        do {
            try FileManager.default.createDirectory(
                at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw ConfigurationError("\(directory.path) cannot be made: \(error.localizedDescription)")
        }
    }

    /// Makes a file with mode 0600, whole or not at all. One that is there already is never overwritten.
    static func create(_ file: URL, _ text: String) throws {
        try SecretFile.create(file.path, SecretBytes(copying: Array(text.utf8).span))
    }

    /// Writes a file without secrets in one step, so that a reader sees the old text or the new one.
    static func replace(_ file: URL, _ text: String) throws {
        do { try Data(text.utf8).write(to: file, options: .atomic) } catch {
            throw ConfigurationError("\(file.path) cannot be written: \(error.localizedDescription)")
        }
    }
}
