import Foundation
import KMSModel
import KMSPolicy
import Yams

extension YAMLValue {
    /// A policy document: keys and values, or a text that is its JSON.
    func policy(_ kind: PolicyDocument.Kind) throws -> PolicyDocument {
        let json = try policyJSON()
        do {
            return try PolicyDocument(parsing: Text(json), as: kind)
        } catch {
            throw failure(error.description)
        }
    }
}

extension YAMLValue {
    /// A policy document in JSON, members in the order of the file, not looked at otherwise.
    func policyJSON() throws -> String {
        guard case .scalar = node else {
            var writer = PolicyWriter()
            try writer.write(self)
            return writer.json
        }
        return try text()
    }
}

/// Writes a YAML value as JSON, members in the order of the file.
///
/// Every single value becomes a string with the characters of the file, because policies hold strings only, and YAML
/// would take `012345678901` for a number, `2012-10-17` for a date and `yes` for a boolean.
private struct PolicyWriter {
    /// As long as the longest policy that the API takes (KMS API: PolicyType). Aliases of YAML can make much of little.
    private static let maximumByteCount = 131_072

    private(set) var json = ""

    mutating func write(_ value: YAMLValue) throws {
        guard json.utf8.count <= Self.maximumByteCount else {
            throw value.failure("the policy is longer than \(Self.maximumByteCount) bytes")
        }
        switch value.node {
        case .mapping:
            json += "{"
            for (index, (name, member)) in try value.entries().enumerated() {
                if index > 0 { json += "," }
                try write(string: name)
                json += ":"
                try write(member)
            }
            json += "}"
        case .sequence:
            json += "["
            for (index, element) in try value.elements().enumerated() {
                if index > 0 { json += "," }
                try write(element)
            }
            json += "]"
        case .scalar(let scalar):
            if value.isNull { json += "null" } else { try write(string: scalar.string) }
        case .alias:
            throw value.failure("an alias that was not resolved")
        }
    }

    private mutating func write(string: String) throws {
        json += String(decoding: try JSONEncoder().encode(string), as: UTF8.self)
    }
}
