internal import Foundation
internal import GRDB
internal import KMSCore
internal import KMSModel
internal import KeyStores

/// Reads typed values out of one row. What is missing, of the wrong type or unknown is an error that names the row:
/// the file is outside data, and nothing in it may trap the process.
struct StoredRow {
    private let row: Row
    private let table: String

    init(_ row: Row, of table: String) {
        self.row = row
        self.table = table
    }

    func string(_ column: String) throws(MetadataStoreError) -> String {
        guard case .string(let string) = value(column) else { throw malformed(column, "is not text") }
        return string
    }

    func optionalString(_ column: String) throws(MetadataStoreError) -> String? {
        if case .null = value(column) { return nil }
        return try string(column)
    }

    /// A free text, selected as `CAST(column AS BLOB)`.
    func text(_ column: String) throws(MetadataStoreError) -> Text {
        guard let string = String(validating: try bytes(column), as: UTF8.self) else {
            throw malformed(column, "is not UTF-8")
        }
        return Text(string)
    }

    /// Nil when the column is NULL.
    func optionalText(_ column: String) throws(MetadataStoreError) -> Text? {
        if case .null = value(column) { return nil }
        return try text(column)
    }

    func bytes(_ column: String) throws(MetadataStoreError) -> [UInt8] {
        guard case .blob(let data) = value(column) else { throw malformed(column, "is not a blob") }
        return [UInt8](data)
    }

    /// Nil when the column is NULL.
    func optionalBytes(_ column: String) throws(MetadataStoreError) -> [UInt8]? {
        if case .null = value(column) { return nil }
        return try bytes(column)
    }

    func timestamp(_ column: String) throws(MetadataStoreError) -> Timestamp {
        guard case .double(let seconds) = value(column) else { throw malformed(column, "is not a number") }
        guard let timestamp = Timestamp(exactly: seconds) else {
            throw malformed(column, "is not within the years 0 to 9999")
        }
        return timestamp
    }

    /// Nil when the column is NULL.
    func optionalTimestamp(_ column: String) throws(MetadataStoreError) -> Timestamp? {
        if case .null = value(column) { return nil }
        return try timestamp(column)
    }

    func count(_ column: String) throws(MetadataStoreError) -> UInt64 {
        guard case .int64(let number) = value(column), let count = UInt64(exactly: number) else {
            throw malformed(column, "is not a count")
        }
        return count
    }

    func count(_ column: String, atMost limit: Int) throws(MetadataStoreError) -> Int {
        guard let count = Int(exactly: try count(column)), count <= limit else {
            throw malformed(column, "is more than \(limit)")
        }
        return count
    }

    /// Nil when the column is NULL.
    func optionalCount(_ column: String, atMost limit: Int) throws(MetadataStoreError) -> Int? {
        if case .null = value(column) { return nil }
        return try count(column, atMost: limit)
    }

    func boolean(_ column: String) throws(MetadataStoreError) -> Bool {
        switch value(column) {
        case .int64(0): return false
        case .int64(1): return true
        default: throw malformed(column, "is neither 0 nor 1")
        }
    }

    func name<Name: RawRepresentable<String>>(
        _ column: String, as type: Name.Type = Name.self
    ) throws(MetadataStoreError) -> Name {
        let string = try string(column)
        guard let name = Name(rawValue: string) else { throw unknown(column, string) }
        return name
    }

    /// Nil when the column is NULL.
    func optionalName<Name: RawRepresentable<String>>(
        _ column: String, as type: Name.Type = Name.self
    ) throws(MetadataStoreError) -> Name? {
        if case .null = value(column) { return nil }
        return try name(column)
    }

    func backingKeyID(_ column: String) throws(MetadataStoreError) -> BackingKeyID {
        guard let id = BackingKeyID(bytes: try bytes(column)) else { throw malformed(column, "is not 16 bytes long") }
        return id
    }

    func scope() throws(MetadataStoreError) -> Scope {
        Scope(accountID: try string("account_id"), region: try string("region"))
    }

    /// Reads what `Placement.columns` writes.
    func placement() throws(MetadataStoreError) -> Placement {
        switch try string("placement") {
        case "software": return .software
        case "device": return .device(clusterID: try string("cluster_id"))
        case let other: throw unknown("placement", other)
        }
    }

    func unknown(_ column: String, _ value: String) -> MetadataStoreError {
        malformed(column, "is \"\(value)\", which this version of Strongroom does not know")
    }

    func malformed(_ column: String, _ finding: String) -> MetadataStoreError {
        MetadataStoreError("table \(table), row \(identity): \(column) \(finding)")
    }

    private func value(_ column: String) -> DatabaseValue.Storage {
        let value: DatabaseValue? = row[column]
        return value?.storage ?? .null
    }

    /// The columns that people know a row by, as far as the row has them.
    private var identity: String {
        let names = ["account_id", "region", "key_id", "id", "name", "position", "backing_key_id", "cluster_id"]
        let parts = names.compactMap { name -> String? in
            switch value(name) {
            case .string(let string): string
            case .int64(let number): String(number)
            case .blob(let data): BackingKeyID(bytes: [UInt8](data))?.description
            default: nil
            }
        }
        return parts.joined(separator: "/")
    }
}

extension Scope {
    var columns: Columns { ["account_id": accountID, "region": region] }
}

extension Placement {
    var columns: Columns {
        switch self {
        case .software: ["placement": "software", "cluster_id": nil]
        case .device(let clusterID): ["placement": "device", "cluster_id": clusterID]
        }
    }
}

extension BackingKeyID {
    var data: Data { Data(bytes) }
}
