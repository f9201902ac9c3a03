import KMSModel

/// The texts that may stand in Action and NotAction.
enum ActionSyntax {
    /// Checks a text of Action or NotAction and returns it in lower case, as patterns are compared: `*`, or the
    /// prefix of a service, a colon, and a name with or without wildcards.
    ///
    /// A name of a KMS action that does not exist is refused, which AWS does not do everywhere: nobody writes
    /// `kms:Encrpyt` on purpose, and a Deny of it would deny nothing.
    static func pattern(_ text: Text, _ kind: PolicyDocument.Kind) throws(PolicyError) -> Text {
        if text == "*" {
            guard kind != .trustPolicy else { throw notOfTrustPolicies(text) }
            return text
        }
        let parts = text.string.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].utf8.allSatisfy(isServiceByte), !parts[1].isEmpty,
            parts[1].utf8.allSatisfy(isNameByte)
        else {
            throw PolicyError(
                .malformed,
                "\(quoted(text)) is no action; it must be \"*\" or such as \"kms:Encrypt\", \"kms:Get*\"")
        }
        let pattern = text.lowerCase
        let hasWildcard = pattern.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
        if kind == .trustPolicy {
            guard pattern.string.hasPrefix("sts:"), hasWildcard || trustActions.contains(pattern) else {
                throw notOfTrustPolicies(text)
            }
        } else if pattern.string.hasPrefix("kms:"), !hasWildcard, !kmsActions.contains(pattern) {
            let hint = pattern == "kms:reencrypt" ? "; it is \"kms:ReEncryptFrom\", \"kms:ReEncryptTo\" or both" : ""
            throw PolicyError(.malformed, "\(quoted(text)) is no action of KMS\(hint)")
        }
        return pattern
    }

    /// The words of IAM's own refusal.
    private static func notOfTrustPolicies(_ text: Text) -> PolicyError {
        PolicyError(.malformed, "\(quoted(text)): AssumeRole policy may only specify STS AssumeRole actions")
    }

    /// Service Authorization Reference, "Actions defined by AWS Key Management Service": the operations, but ReEncrypt,
    /// which has an action for each of its keys; and an action without an operation.
    private static let kmsActions: Set<Text> = {
        var actions = Set(KMSOperation.allCases.map { Text("kms:\($0.rawValue)").lowerCase })
        actions.remove("kms:reencrypt")
        actions.formUnion(["kms:reencryptfrom", "kms:reencryptto", "kms:synchronizemultiregionkey"])
        return actions
    }()

    /// Service Authorization Reference, "Actions defined by AWS Security Token Service": those on a role.
    private static let trustActions: Set<Text> = [
        "sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity", "sts:setcontext",
        "sts:setsourceidentity", "sts:tagsession",
    ]

    static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    private static func isServiceByte(_ byte: UInt8) -> Bool { isLetterOrDigit(byte) || byte == UInt8(ascii: "-") }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        isServiceByte(byte) || byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "_")
    }
}

/// The texts that may stand in Resource and NotResource.
enum ResourceSyntax {
    /// Takes `*` and ARNs with or without wildcards and policy variables. A wildcard at the end may stand for all the
    /// parts that follow, as in `arn:aws:kms:*`.
    static func check(_ text: Text) throws(PolicyError) {
        if text == "*" { return }
        let parts = text.string.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts[0] == "arn", parts.count == 6 || parts.count > 2 && text.string.utf8.last == UInt8(ascii: "*"),
            !parts[1].isEmpty, !parts[2].isEmpty, parts.count < 6 || !parts[5].isEmpty
        else {
            throw PolicyError(
                .malformed,
                "\(quoted(text)) is no resource; it must be \"*\" or an ARN, which may have wildcards")
        }
        let isPattern = parts[1].utf8.contains { byte in
            byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "$")
        }
        guard isPattern || ARNText.partitions.contains(Text(String(parts[1]))) else {
            throw PolicyError(
                .malformed,
                "\(quoted(text)) has an unknown partition; known are aws, aws-cn and aws-us-gov")
        }
    }
}
