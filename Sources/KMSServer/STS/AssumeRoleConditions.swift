internal import KMSModel
internal import KMSPolicy

/// What an AssumeRole request has for condition keys (IAM User Guide, "Available keys for AWS STS").
struct AssumeRoleConditions: ConditionSource {
    let caller: Principal
    let environment: RequestEnvironment
    let request: AssumeRoleRequest
    let role: Role
    let roleOrganizationID: Text?
    /// Those of the request and those that the calling session passes on.
    let tags: [SessionTag]
    /// Of the request, or of the calling session.
    let sourceIdentity: Text?

    func values(of key: ConditionKey) -> ConditionValues? {
        switch key {
        case .known(.stsExternalID): request.externalID.map { .single($0) }
        case .known(.stsRoleSessionName): .single(request.roleSessionName)
        case .known(.stsSourceIdentity): sourceIdentity.map { .single($0) }
        case .known(.stsTransitiveTagKeys): Self.multiple(tags.filter(\.isTransitive).map(\.key))
        case .known(.tagKeys): Self.multiple(tags.map(\.key))
        case .known(.resourceAccount): .single(Text(role.accountID))
        case .known(.resourceOrgID): roleOrganizationID.map { .single($0) }
        case .requestTag(let name): Self.value(of: name, in: tags.map { ($0.key, $0.value) })
        case .resourceTag(let name): Self.value(of: name, in: role.tags.map { ($0.key, $0.value) })
        default: caller.values(of: key) ?? environment.values(of: key)
        }
    }

    /// A list that the request does not have is absent, not empty.
    private static func multiple(_ values: [Text]) -> ConditionValues? { values.isEmpty ? nil : .multiple(values) }

    private static func value(of name: Text, in tags: [(Text, Text)]) -> ConditionValues? {
        tags.first { $0.0.equalsWithoutCase(name) }.map { .single($0.1) }
    }
}
