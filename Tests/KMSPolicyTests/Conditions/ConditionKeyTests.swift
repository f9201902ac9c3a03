import KMSModel
import KMSPolicy
import Testing

@Suite struct ConditionKeyTests {
    @Test(arguments: KnownConditionKey.allCases)
    func `A key is known by its name in any case`(key: KnownConditionKey) throws {
        #expect(try ConditionKey(name: Text(key.rawValue)) == .known(key))
        #expect(try ConditionKey(name: Text(key.rawValue.uppercased())) == .known(key))
        #expect(try ConditionKey(name: Text(key.rawValue.lowercased())) == .known(key))
        #expect(try ConditionKey(name: Text(key.rawValue)).name == key.rawValue)
    }

    @Test func `The variable part of a name keeps its case`() throws {
        #expect(try ConditionKey(name: "kms:EncryptionContext:Dept") == .encryptionContext("Dept"))
        #expect(try ConditionKey(name: "KMS:encryptioncontext:Dept") == .encryptionContext("Dept"))
        #expect(try ConditionKey(name: "kms:EncryptionContext:aws:s3:arn") == .encryptionContext("aws:s3:arn"))
        #expect(try ConditionKey(name: "aws:PrincipalTag/Team") == .principalTag("Team"))
        #expect(try ConditionKey(name: "aws:requesttag/Team") == .requestTag("Team"))
        #expect(try ConditionKey(name: "AWS:ResourceTag/a/b") == .resourceTag("a/b"))
        #expect(try ConditionKey(name: "KMS:encryptioncontext:Dept").name == "kms:EncryptionContext:Dept")
    }

    @Test(
        arguments: [
            "aws:SourceVpc", "aws:sourcevpce", "aws:SourceArn", "aws:PrincipalOrgPaths", "aws:MultiFactorAuthAge",
            "kms:RecipientAttestation:ImageSha384", "kms:RecipientAttestation:PCR0", "kms:recipientattestation:pcr31",
            "kms:RecipientAttestation:NitroTPMPCR4", "s3:prefix", "iam:ResourceTag/x", "saml:aud",
            "sts:DurationSeconds",
            "accounts.google.com:aud", "oidc.eks.us-east-1.amazonaws.com/id/ABC:sub",
        ] as [Text])
    func `Keys that requests here cannot have are taken and absent`(name: Text) throws {
        #expect(try ConditionKey(name: name) == .absent(name))
    }

    @Test(
        arguments: [
            "", ":", "kms", "kms:", "aws:", "kms:Nonsense", "aws:Username2", "kms:EncryptionContext", "s3:", ":prefix",
            "kms:EncryptionContext:", "aws:PrincipalTag/", "aws:PrincipalTag", "kms:RecipientAttestation:",
            "kms:RecipientAttestation:PCR", "kms:RecipientAttestation:PCRx", "kms:RecipientAttestation:PCR123",
            "KMS:KEYSPEC2", "a b:c", "\u{212A}ms:KeySpec",
        ] as [Text])
    func `Other names are refused`(name: Text) {
        let error = #expect(throws: PolicyError.self) { try ConditionKey(name: name) }
        #expect(error?.code == .malformed)
        #expect(error?.description.contains("\"\(name)\"") == true)
    }

    @Test func `A message shows a part of a long name only`() {
        let error = #expect(throws: PolicyError.self) {
            try ConditionKey(name: Text("kms:\n" + String(repeating: "x", count: 5000)))
        }
        #expect((error?.description.utf8.count ?? 0) < 200)
        #expect(error?.description.contains("\n") == false)
    }

    @Test func `The keys that are lists are those of the documentation`() throws {
        let lists = KnownConditionKey.allCases.filter { ConditionKey.known($0).isMultivalued }
        #expect(
            Set(lists) == [
                .encryptionContextKeys, .grantOperations, .resourceAliases, .tagKeys, .calledVia, .stsTransitiveTagKeys,
            ])
        #expect(!ConditionKey.encryptionContext("a").isMultivalued)
        #expect(!ConditionKey.absent("aws:PrincipalOrgPaths").isMultivalued)
    }
}
