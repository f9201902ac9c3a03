import KMSModel
import KMSServer
import Testing

/// The parameters of AssumeRole: what is taken, and what AWS would say to the rest.
struct AssumeRoleRequestTests {
    private static let least = [("RoleArn", "arn:aws:iam::111111111111:role/deploy"), ("RoleSessionName", "ci")]

    private func request(_ parameters: [(String, String)]) throws -> AssumeRoleRequest {
        let body = parameters.map { "\(Client.encoded($0.0))=\(Client.encoded($0.1))" }.joined(separator: "&")
        return try AssumeRoleRequest(FormParameters(decoding: Array(body.utf8).span))
    }

    @Test func `Only role and session name are needed`() throws {
        let request = try request(Self.least)
        #expect(request.roleARN == "arn:aws:iam::111111111111:role/deploy")
        #expect(request.roleSessionName == "ci")
        #expect(request.durationSeconds == 3_600)
        #expect(request.policy == nil && request.externalID == nil && request.sourceIdentity == nil)
        #expect(request.policyARNs.isEmpty && request.tags.isEmpty && request.transitiveTagKeys.isEmpty)
    }

    @Test func `Tags are transitive when their keys are listed, in any case`() throws {
        let request = try request(
            Self.least + [
                ("Tags.member.1.Key", "Project"), ("Tags.member.1.Value", "blue"), ("Tags.member.2.Key", "team"),
                ("Tags.member.2.Value", ""), ("TransitiveTagKeys.member.1", "project"),
            ])
        #expect(
            request.tags == [
                SessionTag(key: "Project", value: "blue", isTransitive: true),
                SessionTag(key: "team", value: "", isTransitive: false),
            ])
    }

    @Test func `Empty lists, as some SDKs write them, are none`() throws {
        let request = try request(Self.least + [("Tags", ""), ("PolicyArns", ""), ("TransitiveTagKeys", "")])
        #expect(request.tags.isEmpty && request.policyARNs.isEmpty && request.transitiveTagKeys.isEmpty)
    }

    @Test func `Everything that is missing is named at once`() {
        #expect(
            throws: STSError(
                .validation,
                "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be "
                    + "null; Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null")
        ) { try request([]) }
    }

    @Test(
        arguments: [
            ("RoleSessionName", "c", "Member must have length greater than or equal to 2"),
            ("RoleSessionName", "a b", #"regular expression pattern: [\w+=,.@-]*"#),
            ("RoleSessionName", "käse", #"regular expression pattern: [\w+=,.@-]*"#),
            ("RoleSessionName", "ci\n", #"regular expression pattern: [\w+=,.@-]*"#),
            ("RoleSessionName", String(repeating: "a", count: 65), "Member must have length less than or equal to 64"),
            ("RoleArn", "short", "Member must have length greater than or equal to 20"),
            ("RoleArn", String(repeating: "a", count: 2_049), "Member must have length less than or equal to 2048"),
            (
                "DurationSeconds", "899",
                "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have"
            ),
            ("DurationSeconds", "43201", "Member must have value less than or equal to 43200"),
            ("DurationSeconds", "-1", "Member must have value greater than or equal to 900"),
            ("Policy", "", "at 'policy' failed to satisfy constraint: Member must have length"),
            ("Policy", String(repeating: " ", count: 2_049), "Member must have length less than or equal to 2048"),
            ("Policy", "{\u{0}}", "at 'policy' failed to satisfy constraint: Member must satisfy"),
            ("Policy", "{\"\u{100}\"}", "at 'policy' failed to satisfy constraint: Member must satisfy"),
            ("ExternalId", "x", "at 'externalId' failed to satisfy constraint"),
            ("ExternalId", "a b", "at 'externalId'"), ("SourceIdentity", "a", "at 'sourceIdentity'"),
            ("SourceIdentity", "a:b", "at 'sourceIdentity'"),
            ("PolicyArns.member.1.arn", "short", "at 'policyArns.1.member.arn'"),
            ("Tags.member.1.Key", "key", "Value null at 'tags.1.member.value'"),
            ("Tags.member.1.Value", "value", "Value null at 'tags.1.member.key'"),
            ("TransitiveTagKeys.member.1", "", "at 'transitiveTagKeys'"),
            ("SerialNumber", "arn:aws:iam::111111111111:mfa/alice", "The parameter SerialNumber is not supported"),
            ("TokenCode", "123456", "The parameter TokenCode is not supported"),
            ("ProvidedContexts.member.1.ProviderArn", "arn", "The parameter ProvidedContexts is not supported"),
        ])
    func `A parameter out of its bounds is a ValidationError`(name: String, value: String, message: String) {
        #expect {
            try request(Self.least.filter { $0.0 != name } + [(name, value)])
        } throws: { error in
            (error as? STSError)?.code == .validation && (error as? STSError)?.message.contains(message) == true
        }
    }

    @Test func `Lists that are too long are refused`() {
        let tags = (1...51).flatMap { [("Tags.member.\($0).Key", "k\($0)"), ("Tags.member.\($0).Value", "")] }
        let policies = (1...11).map { ("PolicyArns.member.\($0).arn", "arn:aws:iam::111111111111:policy/p") }
        for (list, maximum) in [(tags, 50), (policies, 10)] {
            #expect {
                try request(Self.least + list)
            } throws: {
                ($0 as? STSError)?.message.contains("Member must have length less than or equal to \(maximum)") == true
            }
        }
    }

    @Test(arguments: ["", "1e3", "3600.0", " 3600", "+3600", "03600", "3600s", "99999999999999999999", "٣٦٠٠"])
    func `A duration that is no whole number is malformed`(value: String) {
        #expect {
            try request(Self.least + [("DurationSeconds", value)])
        } throws: {
            ($0 as? STSError)?.code == .malformedInput
        }
    }

    @Test func `Tag keys are unique whatever their case`() {
        let tags = [
            ("Tags.member.1.Key", "Team"), ("Tags.member.1.Value", "a"), ("Tags.member.2.Key", "team"),
            ("Tags.member.2.Value", "b"),
        ]
        #expect(
            throws: STSError(
                .invalidParameterValue, "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
        ) { try request(Self.least + tags) }
    }

    @Test func `Reserved tag keys and transitive keys without a tag are refused`() {
        let reserved = [("Tags.member.1.Key", "AWS:team"), ("Tags.member.1.Value", "a")]
        #expect { try request(Self.least + reserved) } throws: { ($0 as? STSError)?.code == .invalidParameterValue }
        #expect(
            throws: STSError(
                .invalidParameterValue, "The specified transitive tag key must be included in the requested tags.")
        ) { try request(Self.least + [("TransitiveTagKeys.member.1", "team")]) }
    }
}
