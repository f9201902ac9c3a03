import Foundation
import KMSServer
import Logging

/// `audit` in strongroom.yaml, `--audit` of `strongroom dev`.
enum AuditSetting: String, CaseIterable {
    case off, on, required

    init(named name: String) throws {
        guard let setting = AuditSetting(rawValue: name) else {
            throw ConfigurationError(
                "audit \(name) is none: use " + AuditSetting.allCases.map(\.rawValue).joined(separator: ", "))
        }
        self = setting
    }

    /// Nil when no lines are written.
    func open(in dataDirectory: URL, _ logger: Logger) throws -> AuditLog? {
        guard let mode = AuditLog.Mode(rawValue: rawValue) else { return nil }
        return try AuditLog(
            directory: dataDirectory.appendingPathComponent(AuditLog.directoryName).path, mode: mode, logger: logger)
    }
}
