import KMSModel

extension Principal {
    /// What requests of this principal have for the condition keys that speak of the principal; nil for absent ones and
    /// for keys that speak of something else.
    ///
    /// Sources: IAM User Guide, "AWS global condition context keys: properties of the principal"; KMS Developer Guide,
    /// "kms:CallerAccount".
    public func values(of key: ConditionKey) -> ConditionValues? {
        switch key {
        case .known(let key): value(of: key).map { .single($0) }
        case .principalTag(let name): tagValues(name)
        case .encryptionContext, .requestTag, .resourceTag, .absent: nil
        }
    }

    private func value(of key: KnownConditionKey) -> Text? {
        switch (key, kind) {
        case (.principalARN, _): identityARN
        case (.principalAccount, _), (.callerAccount, _): accountText
        case (.principalOrgID, _): organizationID
        case (.principalIsAWSService, _): "false"
        case (.userID, _): userID
        case (.principalType, .root): "Account"
        case (.principalType, .user): "User"
        case (.principalType, .roleSession): "AssumedRole"
        case (.userName, .user(let name)): name
        case (.tokenIssueTime, .roleSession(let session)): session.issueTime.iso8601
        case (.sourceIdentity, .roleSession(let session)): session.sourceIdentity
        // Only temporary credentials have it (IAM User Guide, "aws:MultiFactorAuthPresent"), and none are made here
        // with a second factor.
        case (.multiFactorAuthPresent, .roleSession): "false"
        default: nil
        }
    }

    /// Tag keys compare without case. A principal with two tags that differ in case only has both values: no
    /// single-valued operator then holds.
    private func tagValues(_ name: Text) -> ConditionValues? {
        var found: Text?
        var more: [Text] = []
        for (key, value) in tags where key.equalsWithoutCase(name) {
            if let found {
                if more.isEmpty { more.append(found) }
                more.append(value)
            } else {
                found = value
            }
        }
        guard more.isEmpty else { return .multiple(more.sorted()) }
        return found.map { .single($0) }
    }
}

extension Text {
    /// Equality without the case of ASCII letters.
    func equalsWithoutCase(_ other: Text) -> Bool {
        let left = string.utf8.span
        let right = other.string.utf8.span
        guard left.count == right.count else { return false }
        for index in left.indices where Self.lowerCase(left[index]) != Self.lowerCase(right[index]) { return false }
        return true
    }

    /// The same text with ASCII letters in lower case.
    var lowerCase: Text {
        guard utf8.contains(where: { Self.lowerCase($0) != $0 }) else { return self }
        return Text(String(decoding: utf8.map(Self.lowerCase), as: UTF8.self))
    }

    private static func lowerCase(_ byte: UInt8) -> UInt8 {
        byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
    }
}
