internal import Foundation
internal import KeyStores

/// Whether there is room for another object, for modules that keep them in files. SoftHSM does not tell: on a full disk
/// it answers CKR_OK for an object that is not there, or CKR_GENERAL_ERROR.
struct TokenRoom: Sendable {
    /// The directory that holds the token directories; nil where the module keeps its objects elsewhere.
    let path: String?

    /// An object of SoftHSM has less than 16 KB, an RSA key of 4096 bits among them, and is written next to others.
    private static let leastByteCount = 65_536

    /// What an object that could not be made means: an internal failure on a disk that is full is a full token.
    func judge(_ error: KeyStoreError) -> KeyStoreError {
        guard error.code == .internalFailure, isUsedUp else { return error }
        return KeyStoreError(.full, "the disk of the token is full: \(error.reason)")
    }

    private var isUsedUp: Bool {
        guard let path, let system = try? FileManager.default.attributesOfFileSystem(forPath: path) else {
            return false
        }
        // A file system without a limit of its own for files tells none.
        let files = (system[.systemNodes] as? NSNumber)?.int64Value ?? 0
        let freeFiles = (system[.systemFreeNodes] as? NSNumber)?.int64Value ?? 0
        let freeBytes = (system[.systemFreeSize] as? NSNumber)?.int64Value
        return freeBytes.map { $0 < Self.leastByteCount } == true || files > 0 && freeFiles < 2
    }
}
