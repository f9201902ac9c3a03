import Foundation
import Testing

/// Reads the `Name = value` files of NIST and their relatives, as published.
enum VectorFile {
    struct Record {
        var section = ""
        var fields: [String: String] = [:]

        func text(_ name: String) throws -> String { try #require(fields[name], "no \(name) in \(fields)") }

        func bytes(_ name: String) throws -> [UInt8] {
            let digits = try text(name)
            return try #require([UInt8](hexadecimal: digits), "\(name) is not hexadecimal: \(digits)")
        }
    }

    /// Folder `Tests/Vectors`.
    static func contents(of name: String) throws -> Data {
        let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Data(contentsOf: tests.appending(path: "Vectors").appending(path: name))
    }

    /// One record for each block that blank lines separate and that has `marker`.
    static func records(in name: String, with marker: String) throws -> [Record] {
        let text = try #require(String(bytes: contents(of: name), encoding: .utf8))
        var records: [Record] = []
        var record = Record()
        func finish() {
            if record.fields[marker] != nil { records.append(record) }
            record.fields = [:]
        }
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            let line = line.trimmingCharacters(in: .whitespaces)
            if line.isEmpty {
                finish()
            } else if line.hasPrefix("[") {
                record.section = String(line.dropFirst().dropLast())
            } else if !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") {
                let key = line[..<equals].trimmingCharacters(in: .whitespaces)
                record.fields[key] = line[line.index(after: equals)...].trimmingCharacters(in: .whitespaces)
            }
        }
        finish()
        return records
    }
}

extension [UInt8] {
    init?(hexadecimal text: String) {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        self = stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}
