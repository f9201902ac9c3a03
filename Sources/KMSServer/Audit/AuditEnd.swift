internal import Foundation
internal import KMSCore

/// Where the lines of a directory end, so that the next process goes on there.
struct AuditEnd {
    var chain = AuditChain.start
    /// The file of the last line; nil when there is none.
    var path: String?
    var length = 0
    /// How much of an unfinished line was cut off.
    var cutBytes = 0
    /// The day of the file's last change, in days since 1970.
    var day = 0

    /// Reads the last file and cuts half a line off it: what a power cut leaves of a line whose call was not answered,
    /// or of one that was and that nobody waited for.
    init(of directory: String) throws(AuditError) {
        for path in try Self.files(of: directory).map(\.path).reversed() {
            let bytes = try Self.read(path)
            let end = (bytes.lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
            self.path = path
            length = end
            day = Self.day(of: path)
            if end < bytes.count {
                cutBytes += bytes.count - end
                try AuditFile(path, isNew: false).cut(to: end)
            }
            guard end > 0 else {
                // Nothing but the beginning of its first line: the file goes, and its number is given again.
                guard (try? FileManager.default.removeItem(atPath: path)) != nil else {
                    throw .system("remove", path)
                }
                (self.path, length) = (nil, 0)
                continue
            }
            let start = (bytes[..<(end - 1)].lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
            let line = Array(bytes[start..<(end - 1)])
            do {
                let sequence = try AuditChain.place(of: line.span).sequence
                chain = try AuditChain(after: line.span, sequence: sequence)
            } catch {
                let reason = (error as? AuditChainBreak)?.reason ?? "\(error)"
                throw AuditError(
                    "the last line of \(path) \(reason); see strongroom audit verify, and move the directory away to begin "
                        + "a new chain")
            }
            return
        }
    }

    /// The files of audit lines, in the order of their lines.
    static func files(of directory: String) throws(AuditError) -> [(path: String, firstLine: UInt64)] {
        let names: [String]
        do { names = try FileManager.default.contentsOfDirectory(atPath: directory) } catch {
            throw AuditError("\(directory) cannot be read: \(error.localizedDescription)")
        }
        return names.compactMap { name in
            AuditFile.firstLine(ofFileNamed: name).map { (directory + "/" + name, $0) }
        }.sorted { $0.1 < $1.1 }
    }

    static func read(_ path: String) throws(AuditError) -> [UInt8] {
        do { return try [UInt8](Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)) } catch {
            throw AuditError("\(path) cannot be read: \(error.localizedDescription)")
        }
    }

    private static func day(of path: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let date = attributes?[.modificationDate] as? Date
        return Int((date?.timeIntervalSince1970 ?? 0) / 86_400)
    }
}
