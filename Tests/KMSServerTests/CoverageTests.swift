import Foundation
import KMSModel
import KMSServer
import Testing

/// docs/api-coverage.md is a promise; the dispatch table is what is kept.
struct CoverageTests {
    private struct Row {
        let operation: KMSOperation
        let status: Substring
    }

    private static func rows() throws -> [Row] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/api-coverage.md").standardized
        return try String(contentsOf: file, encoding: .utf8).split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|").map { $0.trimmingPrefix(while: \.isWhitespace) }
            guard cells.count >= 2, let name = cells[0].split(separator: " ").first,
                let operation = KMSOperation(rawValue: String(name)), let status = cells[1].split(separator: " ").first
            else { return nil }
            return Row(operation: operation, status: status)
        }
    }

    @Test func `Every operation of the service model has one row`() throws {
        let operations = try Self.rows().map(\.operation)
        #expect(operations.count == 56)
        #expect(Set(operations) == Set(KMSOperation.allCases))
    }

    @Test func `Every row is in the dispatch table, and nothing else`() throws {
        #expect(try Set(Self.rows().map(\.operation)) == Dispatch.builtOperations)
    }

    @Test func `A status is done or partial`() throws {
        for row in try Self.rows() { #expect(["done", "partial"].contains(row.status), "\(row.operation)") }
    }
}
