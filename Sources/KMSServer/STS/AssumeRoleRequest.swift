package import KMSModel

/// The parameters of AssumeRole, as the service model of STS constrains them.
package struct AssumeRoleRequest: Sendable, Hashable {
    package var roleARN: Text
    package var roleSessionName: Text
    package var durationSeconds = 3600
    package var policy: Text?
    package var policyARNs: [Text] = []
    package var tags: [SessionTag] = []
    package var transitiveTagKeys: [Text] = []
    package var externalID: Text?
    package var sourceIdentity: Text?

    /// Errors: ValidationError that names every constraint that is broken; MalformedInput for malformed lists;
    /// InvalidParameterValue for tags that contradict each other.
    package init(_ parameters: FormParameters) throws(STSError) {
        for name in Self.unsupported where parameters[name].map({ !$0.isEmpty }) ?? false {
            throw .validation("The parameter \(name) is not supported by this server.")
        }
        // An empty list is as good as none.
        guard try parameters.structures("ProvidedContexts", members: ["ProviderArn", "ContextAssertion"]).isEmpty else {
            throw .validation("The parameter ProvidedContexts is not supported by this server.")
        }
        var violations = ConstraintViolations()
        roleARN = Self.require(parameters["RoleArn"], "roleArn", Self.arn, &violations)
        roleSessionName = Self.require(
            parameters["RoleSessionName"], "roleSessionName", Self.sessionName, &violations)
        if let text = parameters["DurationSeconds"] {
            guard let seconds = Int(text.string), Text(String(seconds)) == text else {
                throw .malformedInput("DurationSeconds must be a whole number.")
            }
            violations.check(seconds, at: "durationSeconds", Bounds(minimum: 900, maximum: 43_200))
            durationSeconds = seconds
        }
        policy = Self.check(parameters["Policy"], "policy", Self.policyText, &violations)
        externalID = Self.check(parameters["ExternalId"], "externalId", Self.externalIDText, &violations)
        sourceIdentity = Self.check(parameters["SourceIdentity"], "sourceIdentity", Self.sessionName, &violations)

        let policies = try parameters.structures("PolicyArns", members: ["arn"])
        violations.check(elementCount: policies.count, at: "policyArns", Bounds(maximum: 10)) { "list" }
        for (number, policy) in policies.enumerated() {
            violations.enter("policyArns")
            violations.enter(element: number + 1)
            policyARNs.append(Self.require(policy["arn"], "arn", Self.arn, &violations))
            violations.leave()
            violations.leave()
        }
        let tags = try parameters.structures("Tags", members: ["Key", "Value"])
        violations.check(elementCount: tags.count, at: "tags", Bounds(maximum: Self.maximumTagCount)) { "list" }
        for (number, tag) in tags.enumerated() {
            violations.enter("tags")
            violations.enter(element: number + 1)
            let key = Self.require(tag["Key"], "key", Self.tagKey, &violations)
            let value = Self.require(tag["Value"], "value", Self.tagValue, &violations)
            self.tags.append(SessionTag(key: key, value: value, isTransitive: false))
            violations.leave()
            violations.leave()
        }
        transitiveTagKeys = try parameters.list("TransitiveTagKeys")
        violations.check(
            elementCount: transitiveTagKeys.count, at: "transitiveTagKeys", Bounds(maximum: Self.maximumTagCount)
        ) { "list" }
        for key in transitiveTagKeys {
            if let rules = ConstraintViolations.broken(key, Self.tagKey) {
                violations.badElement(of: transitiveTagKeys, at: "transitiveTagKeys", rules: rules)
                break
            }
        }
        if let error = violations.error { throw .validation(error.message ?? "") }
        try markTransitiveTags()
    }

    /// Tag keys compare without case (IAM User Guide, "Pass session tags in AWS STS").
    private mutating func markTransitiveTags() throws(STSError) {
        let keys = Set(tags.map { $0.key.lowerCase })
        guard keys.count == tags.count else { throw .duplicateTagKeys }
        guard !tags.contains(where: { $0.key.hasPrefixWithoutCase("aws:") }) else {
            throw .invalidParameterValue("Tag keys that begin with aws: are reserved.")
        }
        let transitive = Set(transitiveTagKeys.map(\.lowerCase))
        guard transitive.isSubset(of: keys) else { throw .transitiveKeyWithoutTag }
        for index in tags.indices { tags[index].isTransitive = transitive.contains(tags[index].key.lowerCase) }
    }

    // MARK: Constraints (service model of STS)

    static let maximumTagCount = 50

    /// Multi-factor devices do not exist here, and a request must not seem to have been made with one.
    private static let unsupported: [Text] = ["SerialNumber", "TokenCode"]

    private static let arn = TextConstraint(
        minimum: 20, maximum: 2048,
        pattern: Pattern(#"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD]+"#))
    private static let sessionName = TextConstraint(minimum: 2, maximum: 64, pattern: Pattern(#"[\w+=,.@-]*"#))
    private static let externalIDText = TextConstraint(
        minimum: 2, maximum: 1224, pattern: Pattern(#"[\w+=,.@:\/-]*"#))
    /// AWS's limit for the plain text of session policies.
    private static let policyText = TextConstraint(
        minimum: 1, maximum: 2048, pattern: Pattern(#"[\u0009\u000A\u000D\u0020-\u00FF]+"#))
    private static let tagKey = TextConstraint(
        minimum: 1, maximum: 128, pattern: Pattern(#"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"#))
    private static let tagValue = TextConstraint(
        minimum: 0, maximum: 256, pattern: Pattern(#"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"#))

    private static func require(
        _ value: Text?, _ name: String, _ constraint: TextConstraint, _ violations: inout ConstraintViolations
    ) -> Text {
        guard let value else {
            violations.missing(name)
            return ""
        }
        violations.check(value, at: name, constraint)
        return value
    }

    private static func check(
        _ value: Text?, _ name: String, _ constraint: TextConstraint, _ violations: inout ConstraintViolations
    ) -> Text? {
        guard let value else { return nil }
        violations.check(value, at: name, constraint)
        return value
    }
}
