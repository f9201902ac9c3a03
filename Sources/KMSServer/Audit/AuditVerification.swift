internal import KMSModel

/// The check of a directory of audit lines: `strongroom audit verify`.
public struct AuditVerification: Sendable {
    /// The numbers of the first and the last line; nil when there are none.
    public let lines: ClosedRange<UInt64>?
    /// The SHA-256 of the last line: whoever has noted it elsewhere can tell later that nothing up to there has
    /// changed.
    public let lastLineSHA256: String

    /// A file and the number of a line in it, from 1, and what is wrong with it.
    public struct BadLine: Error, Sendable, CustomStringConvertible {
        public let path: String
        public let line: Int
        public let reason: String

        public var description: String { "\(path), line \(line): \(reason)" }
    }

    /// Follows the chain from the first line that is there, which may have others before it that were removed with
    /// their whole files.
    ///
    /// - Parameter noted: a SHA-256 that an earlier verification printed; some line must have it.
    /// Errors: `BadLine` for the first bad line; `AuditError` when files cannot be read, or no line has `noted`.
    public init(directory: String, noted: String? = nil) throws {
        var chain: AuditChain?
        var first: UInt64?
        var isFound = noted == nil
        for (path, firstLine) in try AuditEnd.files(of: directory) {
            var number = 0
            let bytes = try AuditEnd.read(path)
            var start = 0
            while start < bytes.count {
                number += 1
                func bad(_ reason: String) -> BadLine { BadLine(path: path, line: number, reason: reason) }
                guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else {
                    throw bad("is not finished: a server is writing it now, or was stopped by a power cut")
                }
                let line = Array(bytes[start..<end])
                do {
                    let next =
                        if let chain { try chain.following(line.span) } else { try Self.start(at: line, firstLine) }
                    if number == 1, next.sequence != firstLine {
                        throw bad("has the number \(next.sequence), and the file is named for \(firstLine)")
                    }
                    chain = next
                    first = first ?? next.sequence
                    isFound = isFound || noted.map { Array($0.utf8) == next.digest } ?? false
                } catch let error as AuditChainBreak {
                    throw bad(error.reason)
                }
                start = end + 1
            }
        }
        guard isFound else {
            throw AuditError("no line has the SHA-256 \(noted ?? ""): lines were changed or removed since it was noted")
        }
        lines = if let first, let last = chain?.sequence { first...last } else { nil }
        lastLineSHA256 = String(decoding: (chain ?? .start).digest, as: UTF8.self)
    }

    /// The chain after the first line of all.
    private static func start(at line: [UInt8], _ firstLine: UInt64) throws -> AuditChain {
        // Line 1 follows from nothing; before any other one there was a line that is not here any more.
        if firstLine == 1 { return try AuditChain.start.following(line.span) }
        let place = try AuditChain.place(of: line.span)
        return try AuditChain(after: line.span, sequence: place.sequence)
    }
}
