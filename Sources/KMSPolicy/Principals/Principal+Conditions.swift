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
