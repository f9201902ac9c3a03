import Foundation
import KeyCeremony

/// Whether this machine could send anything anywhere.
enum NetworkConnections {
    /// Errors: a sentence that names the interfaces over which something could be reached.
    static func requireNone() throws {
        // Tables of the kernel (proc(5)): what is routed goes over the interface in the first column of the one and the
        // last of the other.
        let found =
            try interfaces("/proc/net/route", header: 1, column: \.first)
            + interfaces("/proc/net/ipv6_route", header: 0, column: \.last)
        let outside = Set(found).subtracting(["lo"]).sorted()
        guard outside.isEmpty else {
            throw CeremonyError(
                "this machine is not offline: it reaches others over \(outside.joined(separator: ", "))")
        }
    }

    private static func interfaces(
        _ path: String, header: Int, column: (ArraySlice<Substring>) -> Substring?
    ) throws -> [String] {
        guard FileManager.default.fileExists(atPath: path) else {
            // A kernel without this protocol.
            guard FileManager.default.fileExists(atPath: "/proc/net/dev") else {
                throw CeremonyError("/proc/net is not there: whether this machine is offline cannot be told")
            }
            return []
        }
        guard let table = try? String(contentsOfFile: path, encoding: .utf8) else {
            throw CeremonyError("\(path) cannot be read: whether this machine is offline cannot be told")
        }
        return table.split(separator: "\n").dropFirst(header).compactMap { line in
            column(line.split(whereSeparator: \.isWhitespace)[...]).map { String($0) }
        }
    }
}
