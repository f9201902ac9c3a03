/// How names of the service model become names in Swift.
package enum Naming {
    /// `SYMMETRIC_DEFAULT` → `symmetricDefault`, `RSA_2048` → `rsa2048`, `PendingDeletion` → `pendingDeletion`.
    package static func enumCase(_ value: String) -> String {
        guard !value.contains(where: \.isLowercase) else {
            return escaped(value.prefix(1).lowercased() + value.dropFirst())
        }
        let parts = value.split(separator: "_").map { $0.lowercased() }
        let later = parts.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return escaped((parts.prefix(1) + later).joined())
    }

    /// The name of a member, as messages of AWS spell it too: `KeyId` → `keyId`, `AWSAccountId` → `awsAccountId`.
    package static func member(_ name: String) -> String {
        let run = name.prefix(while: \.isUppercase).count
        guard run < name.count else { return name.lowercased() }
        let lowered = max(run - 1, 1)
        return name.prefix(lowered).lowercased() + name.dropFirst(lowered)
    }

    /// The name of an exception without its last word: `NotFoundException` → `notFound`.
    package static func errorCase(_ name: String) -> String {
        let suffix = "Exception"
        return escaped(member(name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name))
    }

    /// A name in back-ticks if Swift reserves it.
    package static func escaped(_ name: String) -> String {
        keywords.contains(name) ? "`\(name)`" : name
    }

    /// A string literal of Swift without interpolation, whatever the value holds.
    package static func literal(_ value: String) -> String {
        value.contains("\\") || value.contains("\"") ? "#\"\(value)\"#" : "\"\(value)\""
    }

    // The Swift Programming Language, "Lexical Structure": the keywords that cannot name a declaration bare.
    private static let keywords: Set<String> = [
        "Any", "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit",
        "do",
        "else", "enum", "extension", "fallthrough", "false", "fileprivate", "for", "func", "guard", "if", "import",
        "in",
        "init", "inout", "internal", "is", "let", "nil", "operator", "precedencegroup", "private", "protocol", "public",
        "repeat", "rethrows", "return", "self", "Self", "static", "struct", "subscript", "super", "switch", "throw",
        "throws", "true", "try", "typealias", "var", "where", "while",
    ]
}
