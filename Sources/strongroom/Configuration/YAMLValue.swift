import Foundation
import KMSModel
import Yams

/// One value of a YAML file, with the place where it stands, for messages.
///
/// A value is read by what it has to be, never by what it looks like: `012345678901`, `2012-10-17` and `yes` are texts
/// with these characters, quoted or not.
struct YAMLValue {
    let node: Node
    let file: URL
    /// What people call the place, such as `account 111122223333, user alice`; empty at the top of the file.
    let place: String

    /// Reads a whole file.
    init(readingFrom file: URL) throws {
        self.init(node: try StrictYAML.compose(file), file: file, place: "")
    }

    private init(node: Node, file: URL, place: String) {
        self.node = node
        self.file = file
        self.place = place
    }

    /// The same value with a more exact name of its place.
    func named(_ name: String) -> YAMLValue {
        var value = YAMLValue(node: node, file: file, place: place.isEmpty ? name : "\(place), \(name)")
        value.mark = mark
        return value
    }

    /// The same value, called as if it stood directly in `parent`.
    func placed(in parent: YAMLValue) -> YAMLValue {
        var value = YAMLValue(node: node, file: file, place: parent.place)
        value.mark = mark
        return value
    }

    /// The members of a mapping that has these keys and no others.
    func members(_ known: String...) throws -> YAMLMembers {
        var members: [String: YAMLValue] = [:]
        for (name, value) in try entries() {
            guard known.contains(name) else {
                throw value.failure("unknown key \(name); known are \(known.sorted().joined(separator: ", "))")
            }
            members[name] = value
        }
        return YAMLMembers(whole: self, members: members)
    }

    /// The members of a mapping whose keys are the user's, in the order of the file. No key comes twice.
    func entries() throws -> [(name: String, value: YAMLValue)] {
        guard case .mapping(let mapping) = node else { throw failure("expected keys and values") }
        // The parser refuses a key that comes twice, but holds `"1"` and `1` for two keys.
        var names: Set<Text> = []
        return try mapping.map { key, value in
            guard case .scalar(let scalar) = key else {
                throw child(key).failure("expected a single value as key")
            }
            guard names.insert(Text(scalar.string)).inserted else {
                throw child(key).failure("the key \(scalar.string) comes twice")
            }
            return (scalar.string, child(value, placedLike: key))
        }
    }

    func elements() throws -> [YAMLValue] {
        guard case .sequence(let sequence) = node else { throw failure("expected a list") }
        return sequence.map { child($0) }
    }

    func text() throws -> String {
        guard case .scalar(let scalar) = node else { throw failure("expected a single value") }
        guard !isNull else { throw failure("expected a value") }
        return scalar.string
    }

    func integer() throws -> Int {
        let text = try text()
        guard let integer = Int(text) else { throw failure("expected a whole number") }
        return integer
    }

    /// Whether nothing stands here, or `null`, or `~`.
    var isNull: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
        return node.null != nil
    }

    /// One sentence: file, line, place, and what is wrong there.
    func failure(_ reason: String) -> ConfigurationError {
        let line = (mark ?? node.mark).map { ":\($0.line)" } ?? ""
        return ConfigurationError("\(file.path)\(line): \(place.isEmpty ? "" : place + ": ")\(reason)")
    }

    /// Where the key stands, of the value of a key: a value may begin lines after it.
    private var mark: Mark?

    private func child(_ node: Node, placedLike key: Node? = nil) -> YAMLValue {
        var child = YAMLValue(node: node, file: file, place: place)
        child.mark = key?.mark
        return child
    }
}

/// The members of a mapping with known keys.
struct YAMLMembers {
    fileprivate let whole: YAMLValue
    fileprivate let members: [String: YAMLValue]

    /// Nil when the key is not there. What it is there for is named by the key in messages.
    subscript(key: String) -> YAMLValue? { members[key]?.named(key) }

    func required(_ key: String) throws -> YAMLValue {
        guard let value = self[key] else { throw whole.failure("\(key) is missing") }
        return value
    }
}
