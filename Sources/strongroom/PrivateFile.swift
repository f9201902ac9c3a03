import Foundation
import Glibc

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

    /// Makes a file with mode 0600. One that is there already is never overwritten.
    static func create(_ file: URL, _ text: String) throws {
        let descriptor = unsafe open(file.path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw ConfigurationError("\(file.path) cannot be made: \(systemError)")
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.synchronize()
    }

    /// Writes a file in one step, so that a reader sees the old text or the new one.
    static func replace(_ file: URL, _ text: String) throws {
        let unfinished = file.appendingPathExtension("new")
        try? FileManager.default.removeItem(at: unfinished)
        try create(unfinished, text)
        guard unsafe rename(unfinished.path, file.path) == 0 else {
            throw ConfigurationError("\(file.path) cannot be written: \(systemError)")
        }
    }

    /// What the system says about the call that just failed.
    private static var systemError: String {
        unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)"
    }
}
