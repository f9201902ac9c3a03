public import KMSModel

extension Principal {
    /// A session of a role, as AssumeRole makes it.
    ///
    /// - Parameter sessionTags: they override the role's tags of the same key, which compares without case
    ///   (IAM User Guide, "Pass session tags in AWS STS").
    public static func session(
        of role: Role, _ session: Session, sessionTags: [Text: Text] = [:], sessionPolicies: [NamedPolicy] = [],
        organizationID: Text? = nil
    ) -> Principal {
        var tags = role.tags
        if !sessionTags.isEmpty {
            let overridden = Set(sessionTags.keys.map(\.lowerCase))
            tags = tags.filter { !overridden.contains($0.key.lowerCase) }
            tags.merge(sessionTags) { $1 }
        }
        return Principal(
            kind: .roleSession(session), accountID: role.accountID, arn: role.sessionARN(session.name),
            identityARN: role.arn, uniqueID: role.uniqueID, tags: tags, identityPolicies: role.identityPolicies,
            permissionsBoundary: role.permissionsBoundary, sessionPolicies: sessionPolicies,
            organizationID: organizationID)
    }

    /// The root user of an account.
    public static func root(
        of accountID: String, partition: String = "aws", organizationID: Text? = nil, viaService: Text? = nil
    ) -> Principal {
        let arn = Text("arn:\(partition):iam::\(accountID):root")
        return Principal(
            kind: .root, accountID: accountID, arn: arn, identityARN: arn, uniqueID: Text(accountID),
            organizationID: organizationID, viaService: viaService)
    }
}

extension Role {
    /// `arn:aws:sts::111122223333:assumed-role/name/session`. The path of the role is not in it (IAM User Guide, "IAM
    /// ARNs").
    public func sessionARN(_ sessionName: Text) -> Text {
        Text("arn:\(ARNText.partition(of: arn)):sts::\(accountID):assumed-role/\(name)/\(sessionName)")
    }
}
