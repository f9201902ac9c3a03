import Foundation
import Yams

/// A configuration file that could not be used: one sentence for people.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// Which keys a configuration file may have. `Codable` ignores unknown keys; a misspelt key in a security
/// configuration must not be ignored.
indirect enum YAMLSchema: Sendable {
    case scalar
    case list(YAMLSchema)
    /// A mapping with these keys and no others.
    case keys([String: YAMLSchema])
    /// A mapping whose keys are the user's.
    case anyKeys(YAMLSchema)
}

enum StrictYAML {
    /// Reads `file` and decodes it.
    ///
    /// Errors: `ConfigurationError`, naming file and line, for unknown keys, wrong types and YAML that does not parse.
    static func decode<Value: Decodable>(_ type: Value.Type, from file: URL, schema: YAMLSchema) throws -> Value {
        let node = try compose(file)
        do {
            try check(node, schema, file)
            // Not YAMLDecoder: it does not find keys that look like numbers, such as account ids in quotation marks.
            let plain = try JSONSerialization.data(withJSONObject: plain(node), options: .fragmentsAllowed)
            return try JSONDecoder().decode(type, from: plain)
        } catch let error as ConfigurationError {
            throw error
        } catch let error as DecodingError {
            throw ConfigurationError("\(file.path): \(describe(error))")
        } catch {
            throw ConfigurationError("\(file.path): \(error)")
        }
    }

    /// Reads `file` into nodes. Keys that come twice in a mapping are refused.
    ///
    /// Errors: `ConfigurationError`, naming file and line, and never quoting the file, which may hold secrets.
    static func compose(_ file: URL) throws -> Node {
        let data: Data
        do {
            data = try Data(contentsOf: file)
        } catch {
            throw ConfigurationError("\(file.path) cannot be read: \(error.localizedDescription)")
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw ConfigurationError("\(file.path) is not UTF-8")
        }
        do {
            guard let node = try Yams.compose(yaml: text) else { throw ConfigurationError("\(file.path) is empty") }
            return node
        } catch let error as YamlError {
            throw ConfigurationError(describe(error, file))
        }
    }

    /// Not the library's own description: it shows the line, and there may be a secret in it.
    private static func describe(_ error: YamlError, _ file: URL) -> String {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return "\(file.path):\(mark.line): this is not YAML: \(problem)"
        case .reader(let problem, let offset, _, let text):
            let line = offset.map { ":\(text.prefix($0).count { $0.isNewline } + 1)" } ?? ""
            return "\(file.path)\(line): this is not YAML: \(problem)"
        case .duplicatedKeysInMapping(let keys, let context):
            return "\(file.path):\(context.mark.line): the key \(keys.first ?? "") comes twice"
        default:
            return "\(file.path): this is not YAML"
        }
    }

    private static func check(_ node: Node, _ schema: YAMLSchema, _ file: URL) throws {
        switch (schema, node) {
        case (.scalar, .scalar): break
        case (.list(let element), .sequence(let sequence)):
            for node in sequence { try check(node, element, file) }
        case (.anyKeys(let element), .mapping(let mapping)):
            for (_, node) in mapping { try check(node, element, file) }
        case (.keys(let known), .mapping(let mapping)):
            for (key, node) in mapping {
                guard let name = key.string, let element = known[name] else {
                    throw ConfigurationError(
                        "\(place(key, file)): unknown key \(key.string ?? "?"); known are "
                            + known.keys.sorted().joined(separator: ", "))
                }
                try check(node, element, file)
            }
        default:
            let expected =
                switch schema {
                case .scalar: "a single value"
                case .list: "a list"
                case .keys, .anyKeys: "keys and values"
                }
            throw ConfigurationError("\(place(node, file)): expected \(expected)")
        }
    }

    /// The values of a node as JSON knows them.
    private static func plain(_ node: Node) -> Any {
        switch node {
        case .mapping(let mapping):
            Dictionary(mapping.map { ($0.key.string ?? "", plain($0.value)) }, uniquingKeysWith: { $1 })
        case .sequence(let sequence):
            sequence.map(plain)
        case .scalar(let scalar) where [.singleQuoted, .doubleQuoted, .literal, .folded].contains(scalar.style):
            scalar.string
        case .scalar, .alias:
            node.bool ?? node.int ?? (node.null == nil ? node.string : nil) ?? NSNull()
        }
    }

    private static func place(_ node: Node, _ file: URL) -> String {
        node.mark.map { "\(file.path):\($0.line)" } ?? file.path
    }

    private static func describe(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            context.codingPath.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            let parent = path(context)
            return "\(parent.isEmpty ? "" : parent + ".")\(key.stringValue) is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            return "\(path(context)): \(context.debugDescription)"
        @unknown default:
            return "\(error)"
        }
    }
}

extension URL {
    /// Refuses a file with secrets that others can read.
    func requirePrivate() throws {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        guard let permissions = attributes?[.posixPermissions] as? Int else {
            throw ConfigurationError("\(path) cannot be read")
        }
        guard permissions & 0o077 == 0 else {
            throw ConfigurationError("\(path) holds secrets and can be read by others: chmod 600 \(path)")
        }
    }
}
