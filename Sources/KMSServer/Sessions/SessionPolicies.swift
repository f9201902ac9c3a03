internal import KMSModel
internal import KMSPolicy

/// The policies that limit a session (IAM User Guide, "Session policies").
enum SessionPolicies {
    /// What error messages and explanations call the parameter Policy of AssumeRole.
    static let inlineName: Text = "session policy"

    /// The inline policy of a session. It was read when the session was made; should it not be readable any more, the
    /// session may do nothing.
    static func inline(_ text: Text) -> NamedPolicy {
        guard let document = try? PolicyDocument(parsing: text, as: .identityPolicy) else {
            return .nothing(named: inlineName)
        }
        return NamedPolicy(name: inlineName, document: document)
    }

    /// A managed policy by its ARN: `arn:aws:iam::111122223333:policy/name` of the role's own account, or
    /// `arn:aws:iam::aws:policy/AdministratorAccess`. Nil when there is none.
    static func managed(_ arn: Text, of role: Role, in directory: PrincipalDirectory) -> NamedPolicy? {
        let parts = arn.string.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[5].hasPrefix("policy/"),
            // Of the role's partition.
            role.arn.string.hasPrefix("\(parts[0]):\(parts[1]):\(parts[2]):\(parts[3]):")
        else { return nil }
        let name = Text(String(parts[5].dropFirst("policy/".count)))
        if parts[4] == "aws" { return name == NamedPolicy.administratorAccess.name ? .administratorAccess : nil }
        return parts[4] == role.accountID[...] ? directory.account(role.accountID)?.managedPolicies[name] : nil
    }
}
