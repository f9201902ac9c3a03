import KMSModel
import KMSPolicy

/// The forms that IAM prescribes for what a principals file names.
enum IAMNames {
    /// IAM User Guide, "IAM and AWS STS quotas": `[\w+=,.@-]`, up to 64 characters; of policies up to 128.
    static func isName(_ text: String, upTo limit: Int = 64) -> Bool {
        (1...limit).contains(text.utf8.count)
            && text.utf8.allSatisfy { isLetterOrDigit($0) || "_+=,.@-".utf8.contains($0) }
    }

    static func isAccountID(_ text: String) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }

    /// IAM API Reference, "CreateUser", Path: `/`, or visible characters between two slashes.
    static func isPath(_ text: String) -> Bool {
        text.utf8.count <= 512 && text.hasPrefix("/") && text.hasSuffix("/")
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// AWS Organizations API Reference, "Organization", Id.
    static func isOrganizationID(_ text: String) -> Bool {
        text.hasPrefix("o-") && (12...34).contains(text.utf8.count)
            && text.utf8.dropFirst(2).allSatisfy { isLowerCaseLetterOrDigit($0) }
    }

    /// The first part of a service's host name, such as `s3`.
    static func isServiceName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { isLowerCaseLetterOrDigit($0) || $0 == UInt8(ascii: "-") }
    }

    /// What can stand in the credential of a signature. AWS's own have 16 to 128 letters and digits.
    static func isAccessKeyID(_ text: String) -> Bool { isName(text, upTo: 128) }

    /// What is wrong with a tag, or nil. IAM API Reference, "Tag".
    static func fault(ofTag key: Text, _ value: Text) -> String? {
        if !(1...128).contains(key.scalarCount) { return "a tag key has 1 to 128 characters" }
        if value.scalarCount > 256 { return "the value of the tag \(key) has more than 256 characters" }
        if key.hasPrefixWithoutCase("aws:") { return "the tag key \(key) begins with aws:, which is reserved" }
        return [key, value].allSatisfy { $0.string.unicodeScalars.allSatisfy(isTagScalar) }
            ? nil : "the tag \(key) has a character other than letters, digits, spaces and _.:/=+-@"
    }

    /// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`
    private static func isTagScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .spaceSeparator,
            .lineSeparator, .paragraphSeparator, .decimalNumber, .letterNumber, .otherNumber:
            true
        default: "_.:/=+-@".unicodeScalars.contains(scalar)
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        isLowerCaseLetterOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }

    private static func isLowerCaseLetterOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}
