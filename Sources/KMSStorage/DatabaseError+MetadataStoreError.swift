internal import Foundation
internal import GRDB
internal import KMSCore

// The one place where SQLite's result codes become sentences. Statement arguments never get in: GRDB leaves them out
// of its error values unless it is asked for them, and this looks at codes and SQLite's own message only.

extension MetadataStoreError {
    /// `activity` is a verb: "cannot <activity> the metadata in <path>: …".
    init(_ error: any Error, doing activity: String, path: String) {
        let reason =
            switch error {
            case let error as MetadataStoreError: error.reason
            case let error as DatabaseError: Self.reason(error)
            default: String(describing: error)
            }
        self.init("cannot \(activity) the metadata in \(path): \(reason)")
    }

    private static func reason(_ error: DatabaseError) -> String {
        let detail = "SQLite \(error.extendedResultCode.rawValue): \(error.message ?? "no message")"
        return switch error.resultCode {
        case .SQLITE_FULL: "the disk is full (\(detail))"
        case .SQLITE_READONLY: "the file or its file system is read-only (\(detail))"
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: "the file cannot be opened (\(detail))"
        case .SQLITE_NOTADB: "the file is not an SQLite database or its start is damaged; restore a backup (\(detail))"
        case .SQLITE_CORRUPT: "the file is damaged; restore a backup (\(detail))"
        case .SQLITE_IOERR: "the disk reports an error (\(detail))"
        case .SQLITE_BUSY, .SQLITE_LOCKED: "another process holds the file (\(detail))"
        case .SQLITE_CONSTRAINT: "the change contradicts what is stored (\(detail))"
        case .SQLITE_NOMEM: "there is not enough memory (\(detail))"
        default: detail
        }
    }
}
