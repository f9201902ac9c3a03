import KMSCore
import KMSModel
import KMSPolicy
import KMSStorage
import Testing

struct AuthorizationTests {
    @Test func `A user without policies may do nothing, and is told why`() async throws {
        let kms = try await Installation()
        let key = try await kms.createKey()
        let bob = RequestContext(caller: People.bob, region: "eu-central-1")
        let arn = "arn:aws:kms:eu-central-1:111111111111:key/\(key)"
        let answer = await refusal {
            try await kms.service.encrypt(.init(keyId: Text(key), plaintext: secret("x")), bob)
        }
        #expect(answer?.code == .accessDenied)
        #expect(
            answer?.message
                == "User: arn:aws:iam::111111111111:user/bob is not authorized to perform: kms:Encrypt on resource: \(arn) "
                + "because no identity-based policy allows the kms:Encrypt action")
        let creation = await refusal { try await kms.service.createKey(.init(), bob) }
        #expect(
            creation?.message?.hasSuffix(
                "on resource: * because no identity-based policy allows the kms:CreateKey action") == true)
    }

    @Test func `Who may not use a key that does not exist does not learn that it does not`() async throws {
        let kms = try await Installation()
        let missing = Text("11111111-2222-3333-4444-555555555555")
        for caller in [People.bob, People.carol] {
            let context = RequestContext(caller: caller, region: "eu-central-1")
            let id = caller === People.bob ? missing : "arn:aws:kms:eu-central-1:111111111111:key/\(missing)"
            let answer = await refusal { try await kms.service.describeKey(.init(keyId: id), context) }
            #expect(answer?.code == .accessDenied)
        }
        let answer = await refusal { try await kms.service.describeKey(.init(keyId: missing), kms.context) }
        #expect(answer?.code == .notFound)
    }

    @Test
    func `A key policy that names a user suffices in the user's own account, and holds for the very next request`()
        async throws
    {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        let bob = RequestContext(caller: People.bob, region: "eu-central-1")
        for _ in 0..<20 {
            try await kms.service.putKeyPolicy(.init(keyId: key, policy: Self.policy(allowing: "bob")), kms.context)
            _ = try await kms.service.encrypt(.init(keyId: key, plaintext: secret("x")), bob)
            try await kms.service.putKeyPolicy(.init(keyId: key, policy: Self.policy(allowing: "alice")), kms.context)
            let answer = await refusal {
                try await kms.service.encrypt(.init(keyId: key, plaintext: secret("x")), bob)
            }
            #expect(answer?.code == .accessDenied)
        }
    }

    @Test func `A policy that would lock its author out is refused, unless he says that he means it`() async throws {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        let policy = Self.policy(allowing: "bob", administrator: "bob")
        let answer = await refusal {
            try await kms.service.putKeyPolicy(.init(keyId: key, policy: policy), kms.context)
        }
        #expect(
            answer
                == KMSError(
                    .malformedPolicyDocument,
                    "The new key policy will not allow you to update the key policy in the future."))
        #expect(
            try await kms.service.getKeyPolicy(.init(keyId: key), kms.context).policy?.string.contains("key-default-1")
                == true)
        let creation = await refusal { try await kms.service.createKey(.init(policy: policy), kms.context) }
        #expect(creation?.code == .malformedPolicyDocument)
        try await kms.service.putKeyPolicy(
            .init(keyId: key, policy: policy, bypassPolicyLockoutSafetyCheck: true), kms.context)
        let later = await refusal { try await kms.service.getKeyPolicy(.init(keyId: key), kms.context) }
        #expect(later?.code == .accessDenied)
    }

    @Test func `A policy is there after a restart, and one that cannot be read any more denies everything`()
        async throws
    {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        try await kms.service.putKeyPolicy(.init(keyId: key, policy: Self.policy(allowing: "bob")), kms.context)
        let again = try await Installation(at: kms.directory)
        let bob = RequestContext(caller: People.bob, region: "eu-central-1")
        _ = try await again.service.encrypt(.init(keyId: key, plaintext: secret("x")), bob)

        var stored = try again.store.load().keys[0]
        stored.policy = KeyPolicy(stored: #"{"Version":"2099-01-01","Statement":[]}"#)
        try again.store.commit([.putKey(stored)])
        let later = try await Installation(at: kms.directory)
        for context in [bob, kms.context] {
            let answer = await refusal {
                try await later.service.encrypt(.init(keyId: key, plaintext: secret("x")), context)
            }
            #expect(answer?.code == .accessDenied)
        }
    }

    @Test func `Across accounts key policy and identity policy are both needed, and a ciphertext finds its key`()
        async throws
    {
        let kms = try await Installation()
        let key = try await kms.createKey()
        let arn = Text("arn:aws:kms:eu-central-1:111111111111:key/\(key)")
        let carol = RequestContext(caller: People.carol, region: "eu-central-1")
        let before = await refusal {
            try await kms.service.encrypt(.init(keyId: arn, plaintext: secret("x")), carol)
        }
        #expect(before?.message?.hasSuffix("because no resource-based policy allows the kms:Encrypt action") == true)
        try await kms.service.putKeyPolicy(
            .init(keyId: Text(key), policy: Self.policy(allowing: "root", of: "222222222222")), kms.context)
        let blob = try await kms.service.encrypt(.init(keyId: arn, plaintext: secret("x")), carol).ciphertextBlob
        let opened = try await kms.service.decrypt(.init(ciphertextBlob: blob), carol)
        #expect(opened.keyId == arn)
        // Operations that do not cross accounts stay denied, whatever a policy says.
        let tags = await refusal { try await kms.service.listResourceTags(.init(keyId: arn), carol) }
        #expect(tags?.code == .accessDenied)
    }

    @Test func `A change that was authorized before does not undo the one that forbids it`() async throws {
        let kms = try await Installation()
        let bob = RequestContext(caller: People.bob, region: "eu-central-1")
        for _ in 0..<10 {
            let key = Text(try await kms.createKey())
            let open = Self.policy(allowing: "bob")
            try await kms.service.putKeyPolicy(.init(keyId: key, policy: open), kms.context)
            let service = kms.service
            let flood = Task {
                await withTaskGroup(of: Void.self) { group in
                    for _ in 0..<8 {
                        group.addTask {
                            for _ in 0..<20 {
                                try? await service.putKeyPolicy(.init(keyId: key, policy: open), bob)
                            }
                        }
                    }
                }
            }
            try await kms.service.putKeyPolicy(.init(keyId: key, policy: Self.policy(allowing: "alice")), kms.context)
            let answer = await refusal {
                try await kms.service.encrypt(.init(keyId: key, plaintext: secret("x")), bob)
            }
            #expect(answer?.code == .accessDenied)
            await flood.value
            let later = await refusal {
                try await kms.service.encrypt(.init(keyId: key, plaintext: secret("x")), bob)
            }
            #expect(later?.code == .accessDenied)
        }
    }

    @Test func `A second tag that differs in case alone does not hide the first`() async throws {
        let kms = try await Installation()
        let denied = People.user(
            "dora", of: "111111111111",
            [
                People.administratorAccess,
                #"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"kms:Encrypt","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/class":"secret"}}}}"#,
            ])
        let dora = RequestContext(caller: denied, region: "eu-central-1")
        for tags in [["class": "secret"], ["Class": "public", "class": "secret"]] {
            let key = try await kms.service.createKey(
                .init(tags: tags.map { Tag(tagKey: Text($0.key), tagValue: Text($0.value)) }), kms.context)
            let answer = await refusal {
                try await kms.service.encrypt(
                    .init(keyId: key.keyMetadata?.keyId ?? "", plaintext: secret("x")), dora)
            }
            #expect(answer?.code == .accessDenied)
        }
    }

    @Test func `What a request brings is bounded before policies look at it`() async throws {
        let kms = try await Installation()
        let key = Text(try await kms.createKey())
        let context = Dictionary(uniqueKeysWithValues: (0..<50_000).map { (Text("\($0)"), Text("x")) })
        // bob may not encrypt: were he asked about first, the answer would be another.
        let bob = RequestContext(caller: People.bob, region: "eu-central-1")
        let answers = [
            await refusal {
                try await kms.service.encrypt(
                    .init(keyId: key, plaintext: secret("x"), encryptionContext: context), bob)
            },
            await refusal {
                try await kms.service.decrypt(
                    .init(ciphertextBlob: [1], encryptionContext: context, keyId: key), bob)
            },
            await refusal {
                try await kms.service.generateDataKey(
                    .init(keyId: key, encryptionContext: context, numberOfBytes: 32), bob)
            },
        ]
        #expect(answers.map { $0?.code } == [.validation, .validation, .validation])
        let tagKeys = (0..<10_000).map { Text("\($0)") }
        let untag = await refusal { try await kms.service.untagResource(.init(keyId: key, tagKeys: tagKeys), bob) }
        #expect(untag?.code == .tag)
    }

    /// alice (or `administrator`) administers; `user` may do everything else.
    static func policy(
        allowing user: String, of account: String = "111111111111", administrator: String = "alice"
    ) -> Text {
        let principal = user == "root" ? "arn:aws:iam::\(account):root" : "arn:aws:iam::\(account):user/\(user)"
        return Text(
            """
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111111111111:user/\(administrator)"},
             "Action":["kms:*"],"Resource":"*"},
            {"Effect":"Allow","Principal":{"AWS":"\(principal)"},"Action":"kms:*","Resource":"*"}]}
            """)
    }
}
