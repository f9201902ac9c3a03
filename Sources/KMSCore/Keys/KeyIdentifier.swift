package import KMSModel

/// A KeyId as a caller may write it (KMS API: Key identifiers).
package enum KeyIdentifier: Hashable, Sendable {
    case keyID(String)
    case keyARN(Scope, String)
    /// With its prefix `alias/`.
    case aliasName(String)
    case aliasARN(Scope, String)

    /// Parses what stands in a request to the Region of `scope`.
    ///
    /// Errors: NotFoundException for a malformed id or an ARN of another Region, InvalidArnException for a malformed
    /// ARN.
    package init(_ text: Text, in scope: Scope) throws(KMSError) {
        let string = text.string
        if string.hasPrefix("arn:") {
            self = try Self.parseARN(string, in: scope)
        } else if string.hasPrefix("alias/") {
            self = .aliasName(string)
        } else if Self.isKeyID(string) {
            self = .keyID(string)
        } else {
            throw .invalidKeyID(string)
        }
    }

    private static func parseARN(_ string: String, in scope: Scope) throws(KMSError) -> Self {
        // arn:partition:kms:region:account:resource; the resource of an alias may hold colons.
        let parts = string.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, parts[2] == "kms", parts[4].utf8.count == 12,
            parts[4].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else { throw .invalidARN(string) }
        guard parts[3] == scope.region else { throw .invalidARNRegion(parts[3]) }
        guard parts[1] == scope.partition else { throw .invalidARN(string) }
        let owner = Scope(accountID: parts[4], region: parts[3])
        if parts[5].hasPrefix("alias/") { return .aliasARN(owner, parts[5]) }
        guard parts[5].hasPrefix("key/") else { throw .invalidARN(string) }
        let keyID = String(parts[5].dropFirst(4))
        guard isKeyID(keyID) else { throw .invalidKeyID(string) }
        return .keyARN(owner, keyID)
    }

    /// A UUID with its dashes, or `mrk-` and 32 hexadecimal digits; lower case.
    package static func isKeyID(_ string: String) -> Bool {
        let bytes = Array(string.utf8)
        guard bytes.count == 36 else { return false }
        if string.hasPrefix("mrk-") { return bytes[4...].allSatisfy(isHexadecimal) }
        return bytes.indices.allSatisfy { index in
            switch index {
            case 8, 13, 18, 23: bytes[index] == UInt8(ascii: "-")
            default: isHexadecimal(bytes[index])
            }
        }
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

/// Which forms an operation takes (KMS API: the KeyId parameter of each operation).
package enum KeyIdentifierForms: Sendable {
    /// Key id and key ARN.
    case keys
    /// Also alias name and alias ARN.
    case keysAndAliases
}
