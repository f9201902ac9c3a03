/// A file of the AWS command line tools: `~/.aws/config` or `~/.aws/credentials` (AWS SDKs and Tools Reference Guide,
/// "Shared config and credentials files").
package struct ProfileFile: Sendable {
    package enum Kind: Sendable {
        /// Profiles are called `[profile name]`, but for `[default]`.
        case config
        /// Profiles are called `[name]`.
        case credentials
    }

    /// The settings of one section. A setting inside another one has both names, with a point between.
    package typealias Section = [String: String]

    package private(set) var profiles: [String: Section] = [:]
    /// `[services name]`: endpoints by service.
    package private(set) var services: [String: Section] = [:]

    private enum Place {
        case profile(String)
        case services(String)
        /// A section that is of no interest here, such as `[sso-session name]`.
        case other
    }

    package init() {}

    /// - Parameter name: of the file, for errors, which never quote it: there may be a secret in every line.
    package init(_ text: String, kind: Kind, name: String) throws(ClientError) {
        var place: Place?
        var outer: String?
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let isIndented = line.first.map { $0 == " " || $0 == "\t" } ?? false
            let content = Self.trim(line)
            guard let first = content.first, first != "#", first != ";" else { continue }
            if first == "[", !isIndented {
                guard content.last == "]", let found = Self.place(Self.trim(content.dropFirst().dropLast()), kind)
                else { throw ClientError("\(name):\(index + 1): this is not the name of a section") }
                (place, outer) = (found, nil)
                continue
            }
            guard let place else {
                throw ClientError("\(name):\(index + 1): a setting stands before the first section")
            }
            guard let equals = content.firstIndex(of: "=") else {
                // The second line of a long value: nothing that is read here has one.
                if isIndented { continue }
                throw ClientError("\(name):\(index + 1): this is neither a section nor of the form name = value")
            }
            let setting = Self.trim(content[..<equals]).lowercased()
            let value = String(Self.trim(content[content.index(after: equals)...]))
            if isIndented, let outer {
                set("\(outer).\(setting)", value, in: place)
            } else {
                outer = value.isEmpty ? setting : nil
                set(setting, value, in: place)
            }
        }
    }

    private mutating func set(_ setting: String, _ value: String, in place: Place) {
        switch place {
        case .profile(let name): profiles[name, default: [:]][setting] = value
        case .services(let name): services[name, default: [:]][setting] = value
        case .other: break
        }
    }

    /// Nil for a section without a name.
    private static func place(_ header: Substring, _ kind: Kind) -> Place? {
        let words = header.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
        guard let first = words.first else { return nil }
        guard kind == .config else { return .profile(unquoted(header)) }
        guard words.count == 2 else { return first == "default" ? .profile("default") : .other }
        let name = unquoted(trim(words[1]))
        return switch first {
        case "profile": .profile(name)
        case "services": .services(name)
        default: .other
        }
    }

    private static func unquoted(_ name: Substring) -> String {
        guard name.count >= 2, let first = name.first, first == name.last, first == "\"" || first == "'" else {
            return String(name)
        }
        return String(name.dropFirst().dropLast())
    }

    private static func trim(_ text: Substring) -> Substring {
        var text = text.drop { $0.isWhitespace }
        while let last = text.last, last.isWhitespace { text.removeLast() }
        return text
    }
}
