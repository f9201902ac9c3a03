internal import Foundation
internal import Glibc
public import KMSCore

/// Keeps a second process out of a data directory for as long as it lives.
///
/// An flock(2) on the file `lock`: the kernel lets go of it when the process ends, however it ends, so that nothing
/// stale is left behind. The file stays and holds the process id of its last owner, for the message to the next one.
/// Network file systems without flock are refused by the error that the kernel gives.
public final class DataDirectoryLock: Sendable {
    /// The name of the file in the data directory.
    public static let fileName = "lock"

    private let descriptor: Int32

    /// Takes the lock, or throws an error that says which process holds it. `directory` must exist. Does not wait.
    public init(directory: String) throws(MetadataStoreError) {
        let path = directory + "/" + Self.fileName
        let descriptor = try PrivateFile.openOrCreate(path)
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        do throws(MetadataStoreError) {
            if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
                guard errno == EWOULDBLOCK else { throw PrivateFile.failure("lock", path) }
                throw MetadataStoreError(
                    "the data directory \(directory) is in use by \(Self.owner(in: file)); "
                        + "stop that process first, or give another data directory"
                )
            }
            guard ftruncate(descriptor, 0) == 0 else { throw PrivateFile.failure("write", path) }
            try Self.write(getpid(), to: file, path)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    private static func write(_ processID: Int32, to file: FileHandle, _ path: String) throws(MetadataStoreError) {
        do {
            try file.write(contentsOf: Data("\(processID)\n".utf8))
        } catch {
            throw PrivateFile.failure("write", path)
        }
    }

    private static func owner(in file: FileHandle) -> String {
        let text = (try? file.read(upToCount: 32)).flatMap { String(data: $0, encoding: .utf8) } ?? ""
        let processID = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
        return processID.map { "process \($0)" } ?? "another process"
    }
}
