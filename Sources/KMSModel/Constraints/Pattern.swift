internal import Foundation

/// A regular expression of the service model, which must match a whole text.
///
/// The model writes its patterns for Java: `\w`, `\d` and `\s` mean ASCII there, while ICU takes all of Unicode, and
/// `$` would also match before a final line end. Both are translated, so that a text passes here when it passes there.
package final class Pattern: Sendable {
    /// The pattern as the service model spells it, for messages.
    package let source: String

    private let expression: NSRegularExpression?

    package init(_ source: String) {
        self.source = source
        self.expression = try? NSRegularExpression(pattern: #"\A(?:"# + Self.asciiClasses(source) + #")\z"#)
    }

    /// False for a pattern that the regular expression engine does not understand; such a pattern matches nothing.
    package var isUnderstood: Bool { expression != nil }

    package func matches(_ text: Text) -> Bool {
        guard let expression else { return false }
        let string = text.string
        let whole = NSRange(location: 0, length: string.utf16.count)
        return expression.firstMatch(in: string, range: whole) != nil
    }

    /// Replaces `\w`, `\d` and `\s` by what they mean in `java.util.regex.Pattern`, inside and outside of brackets.
    static func asciiClasses(_ source: String) -> String {
        var result = ""
        var isEscape = false
        var isInBrackets = false
        for character in source.unicodeScalars {
            if isEscape {
                isEscape = false
                let members: String? =
                    switch character {
                    case "w": "a-zA-Z0-9_"
                    case "d": "0-9"
                    case "s": #"\t\n\u000B\f\r "#
                    default: nil
                    }
                guard let members else {
                    result += "\\" + String(character)
                    continue
                }
                result += isInBrackets ? members : "[" + members + "]"
                continue
            }
            switch character {
            case "\\":
                isEscape = true
                continue
            case "[": isInBrackets = true
            case "]": isInBrackets = false
            default: break
            }
            result.unicodeScalars.append(character)
        }
        return result
    }
}
