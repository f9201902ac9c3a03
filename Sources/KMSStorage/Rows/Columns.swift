internal import Foundation
internal import GRDB
internal import KMSCore
internal import KMSModel

/// The values of one statement by the names of its parameters.
typealias Columns = [String: (any DatabaseValueConvertible)?]

extension Database {
    /// Runs one statement that changes rows.
    func run(_ sql: String, _ columns: Columns) throws {
        let statement = try cachedStatement(sql: sql)
        try statement.execute(arguments: StatementArguments(try columns.checked()))
    }

    /// Calls `body` with every row of a query of `table`.
    func forEachRow(
        of table: String, _ sql: String, _ columns: Columns = [:], _ body: (StoredRow) throws -> Void
    ) throws {
        let statement = try cachedStatement(sql: sql)
        let rows = try Row.fetchCursor(statement, arguments: StatementArguments(try columns.checked()))
        while let row = try rows.next() { try body(StoredRow(row, of: table)) }
    }
}

extension Columns {
    /// A string is bound as a C string, which ends at the first NUL. Names that the API gives cannot hold one; what
    /// would be stored cut is refused. Free texts are bound as bytes, see `Text.utf8Data`.
    fileprivate func checked() throws(MetadataStoreError) -> Columns {
        for (column, value) in self {
            guard let string = value as? String else { continue }
            guard !string.utf8.contains(0) else { throw MetadataStoreError("\(column) holds a NUL character") }
        }
        return self
    }

    /// These columns and others; no column may be in both.
    static func + (left: Columns, right: Columns) -> Columns { left.merging(right) { own, _ in own } }
}

extension Text {
    /// The exact bytes, for a parameter in `CAST(:parameter AS TEXT)`. They may hold NUL characters
    /// (https://www.sqlite.org/nulinstr.html), which the API allows in descriptions and tag values.
    var utf8Data: Data { Data(utf8) }
}
