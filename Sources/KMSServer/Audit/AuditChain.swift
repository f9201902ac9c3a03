internal import Cryptography
internal import KMSModel

/// What ties audit lines together: each line has a number and the SHA-256 of the line before, so that a line that was
/// changed, taken out or put in shows (docs/audit.md).
struct AuditChain: Sendable, Equatable {
    /// The number of the last line; 0 when there is none.
    private(set) var sequence: UInt64
    /// 64 hexadecimal digits: the SHA-256 of the last line without its line end, and zeros before the first line.
    private(set) var digest: [UInt8]

    static let memberName = "strongroomChain"

    static let start = AuditChain(sequence: 0, digest: [UInt8](repeating: UInt8(ascii: "0"), count: 64))

    private init(sequence: UInt64, digest: [UInt8]) {
        self.sequence = sequence
        self.digest = digest
    }

    /// After a line that is in a file.
    init(after line: Span<UInt8>, sequence: UInt64) throws(CryptographyError) {
        self.sequence = sequence
        digest = Self.hexadecimal(try SHA256.digest(line))
    }

    /// The next line with its line end, and the chain after it.
    ///
    /// - Parameter object: a JSON object that is not empty.
    func appending(_ object: [UInt8]) throws(CryptographyError) -> (line: [UInt8], chain: AuditChain) {
        var line = object
        line.reserveCapacity(object.count + 160)
        line.removeLast()
        line.append(
            contentsOf: ",\"\(Self.memberName)\":{\"sequence\":\(sequence + 1),\"previousLineSHA256\":\"".utf8)
        line.append(contentsOf: digest)
        line.append(contentsOf: "\"}}".utf8)
        let chain = try AuditChain(after: line.span, sequence: sequence + 1)
        line.append(UInt8(ascii: "\n"))
        return (line, chain)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(2 * bytes.count)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return text
    }
}

/// Why a line is no link of the chain. A sentence for people.
struct AuditChainBreak: Error {
    let reason: String
}

extension AuditChain {
    /// The place that a line claims in the chain: its number, and the digest of the line before.
    static func place(of line: Span<UInt8>) throws(AuditChainBreak) -> (sequence: UInt64, previous: [UInt8]) {
        let tree: JSONTree
        do { tree = try JSONTree(parsing: line) } catch { throw AuditChainBreak(reason: "is not JSON: \(error)") }
        guard case .object(let members) = tree,
            case .object(let place)? = members.first(where: { $0.name.string == memberName })?.value,
            case .number(let number)? = place.first(where: { $0.name == "sequence" })?.value,
            let sequence = UInt64(number.string), sequence > 0,
            case .string(let previous)? = place.first(where: { $0.name == "previousLineSHA256" })?.value
        else { throw AuditChainBreak(reason: "has no \(memberName)") }
        return (sequence, Array(previous.utf8))
    }

    /// The chain after `line`, which must be the next one.
    func following(_ line: Span<UInt8>) throws(AuditChainBreak) -> AuditChain {
        let (sequence, previous) = try Self.place(of: line)
        guard sequence == self.sequence + 1 else {
            throw AuditChainBreak(
                reason:
                    "has the number \(sequence) where \(self.sequence + 1) is due: lines are missing or out of order")
        }
        guard previous == digest else {
            throw AuditChainBreak(reason: "does not follow from the line before: one of the two was changed")
        }
        do { return try AuditChain(after: line, sequence: sequence) } catch {
            throw AuditChainBreak(reason: "cannot be digested: \(error)")
        }
    }
}
