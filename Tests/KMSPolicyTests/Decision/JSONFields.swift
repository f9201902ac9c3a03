import Foundation

/// The members of a JSON object, each of which must be taken: what a reader does not know must not be ignored, or an
/// expectation would be.
struct JSONFields {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let place: String
    private var members: [String: Any]

    init(_ value: Any, _ place: String) throws {
        guard let members = value as? [String: Any] else { throw Failure(description: "\(place) is not an object") }
        self.place = place
        self.members = members
    }

    /// Takes a member; nil when there is none.
    mutating func take<Value>(_ name: String, as type: Value.Type = Value.self) throws -> Value? {
        guard let value = members.removeValue(forKey: name) else { return nil }
        guard let typed = value as? Value else {
            throw Failure(description: "\(place): \(name) is \(value), not a \(Value.self)")
        }
        return typed
    }

    mutating func require<Value>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        guard let value = try take(name, as: Value.self) else {
            throw Failure(description: "\(place) has no \(name)")
        }
        return value
    }

    mutating func takeAny(_ name: String) -> Any? { members.removeValue(forKey: name) }

    func end() throws {
        guard members.isEmpty else {
            throw Failure(description: "\(place) has unknown members: \(members.keys.sorted())")
        }
    }

    /// A file of the folder `Cases`.
    static func contents(of name: String) throws -> Any {
        let cases = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Cases").appending(path: name)
        return try JSONSerialization.jsonObject(with: Data(contentsOf: cases))
    }

    static func text(_ value: Any) throws -> String {
        String(decoding: try JSONSerialization.data(withJSONObject: value, options: .fragmentsAllowed), as: UTF8.self)
    }
}
