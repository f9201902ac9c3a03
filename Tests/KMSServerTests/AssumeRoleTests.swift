import KMSModel
import KMSServer
import Testing

/// Who may assume a role, and as what.
struct AssumeRoleTests {
    private func expect(
        _ response: WireResponse, _ status: Int, _ code: String, _ message: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(response.status == status, "\(response.text)", sourceLocation: sourceLocation)
        #expect(response.element("Code") == code, sourceLocation: sourceLocation)
        if let message { #expect(response.element("Message") == message, sourceLocation: sourceLocation) }
    }

    private func expectDenied(
        _ response: WireResponse, _ action: String = "sts:AssumeRole", caller: String = World.aliceARN,
        role: String = "deploy", account: String = "111111111111", sourceLocation: SourceLocation = #_sourceLocation
    ) {
        expect(
            response, 403, "AccessDenied",
            "User: \(caller) is not authorized to perform: \(action) on resource: "
                + "arn:aws:iam::\(account):role/\(role)", sourceLocation: sourceLocation)
    }

    private static let accountRoot = "arn:aws:iam::111111111111:root"
    private static let everything = "sts:AssumeRole sts:TagSession sts:SetSourceIdentity"
    private static let deploySession = "arn:aws:sts::111111111111:assumed-role/deploy/ci"

    @Test func `The answer has credentials, who they are, and when they end`() async throws {
        let response = try await TestServer().assumeRole("deploy", as: World.alice)
        #expect(response.status == 200)
        #expect(response.element("Arn") == Self.deploySession)
        #expect(response.element("AssumedRoleId") == "AROADEPLOYDEPLOYDEPLO:ci")
        #expect(response.element("AccessKeyId")?.wholeMatch(of: /ASIA[A-Z2-7]{16}/) != nil)
        #expect(response.element("SecretAccessKey")?.wholeMatch(of: /[A-Za-z0-9+\/]{40}/) != nil)
        #expect(response.element("Expiration")?.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
        #expect(response.element("PackedPolicySize") == nil)
        #expect(response.element("SourceIdentity") == nil)
    }

    // MARK: Trust

    @Test func `A trust policy that names a user of its account suffices`() async throws {
        let server = try await TestServer()
        #expect(try await server.assumeRole("deploy", as: World.alice).status == 200)
        expectDenied(
            try await server.assumeRole("deploy", as: World.bob), caller: "arn:aws:iam::222222222222:user/bob")
    }

    @Test func `A trust policy that names the account leaves it to the user's own policies`() async throws {
        var world = World()
        world.roles["deploy"]?.trust = World.allow(Self.accountRoot)
        let server = try await TestServer(world)
        expectDenied(try await server.assumeRole("deploy", as: World.alice))
        world.alicePolicy = World.allowing("sts:AssumeRole")
        server.principals.replace(with: try world.principals())
        #expect(try await server.assumeRole("deploy", as: World.alice).status == 200)
    }

    @Test func `A user of another account needs both`() async throws {
        let bob = "arn:aws:iam::222222222222:user/bob"
        var world = World()
        world.roles["deploy"]?.trust = World.allow(bob)
        let server = try await TestServer(world)
        expectDenied(try await server.assumeRole("deploy", as: World.bob), caller: bob)
        world.bobPolicy = World.allowing("sts:AssumeRole")
        server.principals.replace(with: try world.principals())
        #expect(try await server.assumeRole("deploy", as: World.bob).status == 200)
        world.roles["deploy"]?.trust = World.allow(World.aliceARN)
        server.principals.replace(with: try world.principals())
        expectDenied(try await server.assumeRole("deploy", as: World.bob), caller: bob)
    }

    @Test func `An explicit deny wins`() async throws {
        var world = World()
        world.alicePolicy = #"{"Effect":"Deny","Action":"sts:*","Resource":"arn:aws:iam::111111111111:role/dep*"}"#
        expectDenied(try await TestServer(world).assumeRole("deploy", as: World.alice))
    }

    @Test func `A role that does not exist looks like one that is not open`() async throws {
        let server = try await TestServer()
        expectDenied(try await server.assumeRole("nobody", as: World.alice), role: "nobody")
        // Nothing of what depends on the role is told to a stranger.
        let long = [("DurationSeconds", "43200"), ("PolicyArns.member.1.arn", "arn:aws:iam::111111111111:policy/None")]
        let bob = "arn:aws:iam::222222222222:user/bob"
        expectDenied(try await server.assumeRole("nobody", as: World.bob, long), caller: bob, role: "nobody")
        expectDenied(try await server.assumeRole("deploy", as: World.bob, long), caller: bob)
    }

    @Test func `A root user assumes no role`() async throws {
        var world = World()
        world.roles["deploy"]?.trust = World.allow("*")
        expect(
            try await TestServer(world).assumeRole("deploy", as: World.root), 403, "AccessDenied",
            "Roles may not be assumed by root accounts.")
    }

    @Test(
        arguments: [
            (#"{"StringEquals":{"sts:ExternalId":"secret"}}"#, [("ExternalId", "secret")]),
            (#"{"StringEquals":{"sts:RoleSessionName":"ci-7"}}"#, [("RoleSessionName", "ci-7")]),
            (#"{"StringEquals":{"sts:SourceIdentity":"alice"}}"#, [("SourceIdentity", "alice")]),
            (
                #"{"StringEquals":{"aws:RequestTag/project":"blue"}}"#,
                [("Tags.member.1.Key", "Project"), ("Tags.member.1.Value", "blue")]
            ),
            (
                #"{"ForAnyValue:StringEquals":{"aws:TagKeys":"project"}}"#,
                [("Tags.member.1.Key", "project"), ("Tags.member.1.Value", "")]
            ),
            (
                #"{"ForAnyValue:StringEquals":{"sts:TransitiveTagKeys":"project"}}"#,
                [
                    ("Tags.member.1.Key", "project"), ("Tags.member.1.Value", "x"),
                    ("TransitiveTagKeys.member.1", "project"),
                ]
            ),
            (
                #"{"StringEquals":{"aws:RequestedRegion":"eu-central-1","sts:RoleSessionName":"x-1"}}"#,
                [("RoleSessionName", "x-1")]
            ),
        ] as [(String, [(String, String)])])
    func `Conditions see the parameters of the request`(
        condition: String, parameters: [(String, String)]
    ) async throws {
        var world = World()
        world.roles["deploy"]?.trust = World.allow(World.aliceARN, Self.everything, condition: condition)
        let server = try await TestServer(world)
        #expect(try await server.assumeRole("deploy", as: World.alice, parameters).status == 200)
        expectDenied(try await server.assumeRole("deploy", as: World.alice))
    }

    @Test func `Conditions see where the request came from, and whose role it is`() async throws {
        var world = World()
        world.roles["deploy"]?.tags = ["env": "test"]
        let values = [
            "aws:UserAgent": "test", "aws:ResourceTag/env": "test", "aws:ResourceAccount": "111111111111",
            "aws:ResourceOrgID": "o-exampleorg", "aws:PrincipalArn": World.aliceARN,
            "kms:CallerAccount": "111111111111",
        ]
        let equals = values.map { #""\#($0)":"\#($1)""# }.joined(separator: ",")
        world.roles["deploy"]?.trust = World.allow(
            World.aliceARN, condition: #"{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"},"StringEquals":{\#(equals)}}"#)
        #expect(try await TestServer(world).assumeRole("deploy", as: World.alice).status == 200)
        world.roles["deploy"]?.trust = World.allow(
            World.aliceARN, condition: #"{"IpAddress":{"aws:SourceIp":"198.51.100.0/24"}}"#)
        expectDenied(try await TestServer(world).assumeRole("deploy", as: World.alice))
    }

    // MARK: Tags and source identity

    private let blue = [("Tags.member.1.Key", "project"), ("Tags.member.1.Value", "blue")]

    @Test func `Tags and a source identity need permissions of their own`() async throws {
        let server = try await TestServer()
        expectDenied(try await server.assumeRole("deploy", as: World.alice, blue), "sts:TagSession")
        expectDenied(
            try await server.assumeRole("deploy", as: World.alice, [("SourceIdentity", "alice")]),
            "sts:SetSourceIdentity")
        var world = World()
        world.roles["deploy"]?.trust = World.allow(World.aliceARN, Self.everything)
        server.principals.replace(with: try world.principals())
        let response = try await server.assumeRole("deploy", as: World.alice, blue + [("SourceIdentity", "alice")])
        #expect(response.status == 200)
        #expect(response.element("SourceIdentity") == "alice")
        #expect(response.element("PackedPolicySize") == "1")
    }

    /// A role that alice may assume with everything, and one that its sessions may assume on a condition.
    private func chain(condition: String, actions: String = everything) -> World {
        var world = World()
        world.roles["deploy"]?.trust = World.allow(World.aliceARN, Self.everything)
        world.roles["deploy"]?.tags = ["project": "red", "team": "a"]
        world.roles["deploy"]?.maximumSessionSeconds = 43_200
        world.roles["target"] = World.Role(
            uniqueID: "AROATARGETTARGETTARGE",
            trust: World.allow("arn:aws:iam::111111111111:role/deploy", actions, condition: condition),
            policy: World.allowing("kms:* sts:*"))
        world.roles["target"]?.maximumSessionSeconds = 43_200
        world.roles["deploy"]?.policy = World.allowing("kms:* sts:*")
        return world
    }

    @Test func `Session tags override the role's, whatever their case`() async throws {
        let condition = #"{"StringEquals":{"aws:PrincipalTag/project":"blue","aws:PrincipalTag/team":"a"}}"#
        let server = try await TestServer(chain(condition: condition))
        for key in ["project", "Project"] {
            let session = try await server.session(
                of: "deploy", as: World.alice, [("Tags.member.1.Key", key), ("Tags.member.1.Value", "blue")])
            #expect(try await server.assumeRole("target", as: session).status == 200)
        }
        let untagged = try await server.session(of: "deploy", as: World.alice)
        expectDenied(
            try await server.assumeRole("target", as: untagged), caller: Self.deploySession, role: "target")
    }

    @Test func `Transitive tags are inherited, cannot be changed, and need sts:TagSession`() async throws {
        let server = try await TestServer(chain(condition: #"{"StringEquals":{"aws:RequestTag/project":"blue"}}"#))
        let session = try await server.session(
            of: "deploy", as: World.alice, blue + [("TransitiveTagKeys.member.1", "PROJECT")])
        #expect(try await server.assumeRole("target", as: session).status == 200)
        expect(
            try await server.assumeRole(
                "target", as: session, [("Tags.member.1.Key", "Project"), ("Tags.member.1.Value", "red")]), 400,
            "InvalidParameterValue",
            "One of the specified transitive tag keys can&apos;t be set because it conflicts with a transitive tag key "
                + "from the calling session.")
        // Not transitive: not inherited.
        let tagged = try await server.session(of: "deploy", as: World.alice, blue)
        expectDenied(try await server.assumeRole("target", as: tagged), caller: Self.deploySession, role: "target")
        server.principals.replace(with: try chain(condition: "{}", actions: "sts:AssumeRole").principals())
        expectDenied(
            try await server.assumeRole("target", as: session), "sts:TagSession", caller: Self.deploySession,
            role: "target")
        #expect(try await server.assumeRole("target", as: tagged).status == 200)
    }

    @Test func `A source identity is inherited and stays`() async throws {
        let server = try await TestServer(chain(condition: #"{"StringEquals":{"aws:SourceIdentity":"alice"}}"#))
        let session = try await server.session(of: "deploy", as: World.alice, [("SourceIdentity", "alice")])
        #expect(try await server.assumeRole("target", as: session).element("SourceIdentity") == "alice")
        #expect(
            try await server.assumeRole("target", as: session, [("SourceIdentity", "alice")]).status == 200)
        expect(
            try await server.assumeRole("target", as: session, [("SourceIdentity", "mallory")]), 400, "ValidationError",
            "The source identity is already set for this assume role session")
        server.principals.replace(with: try chain(condition: "{}", actions: "sts:AssumeRole").principals())
        expectDenied(
            try await server.assumeRole("target", as: session), "sts:SetSourceIdentity", caller: Self.deploySession,
            role: "target")
    }

    // MARK: Durations

    @Test func `A session lasts no longer than its role lets it, a chained one no longer than an hour`() async throws {
        let server = try await TestServer(chain(condition: "{}"))
        let session = try await server.session(of: "deploy", as: World.alice, [("DurationSeconds", "43200")])
        #expect(try await server.assumeRole("target", as: session, [("DurationSeconds", "3600")]).status == 200)
        expect(
            try await server.assumeRole("target", as: session, [("DurationSeconds", "3601")]), 400, "ValidationError",
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
        server.principals.replace(with: try World().principals())
        expect(
            try await server.assumeRole("deploy", as: World.alice, [("DurationSeconds", "3601")]), 400,
            "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    }

    @Test func `Sessions of sessions are sessions`() async throws {
        let server = try await TestServer(chain(condition: "{}"))
        let session = try await server.session(of: "deploy", as: World.alice)
        let chained = try await server.session(of: "target", as: session)
        #expect(
            try await server.respond(chained.sts("GetCallerIdentity")).element("Arn")
                == "arn:aws:sts::111111111111:assumed-role/target/ci")
        #expect(try await server.respond(chained.kms("ListKeys")).status == 200)
    }

    // MARK: Policies

    @Test func `A session policy is read when it is given`() async throws {
        let server = try await TestServer()
        for policy in ["no JSON", "{}}", #"{"Statement":[{"Effect":"Maybe","Action":"kms:*","Resource":"*"}]}"#] {
            expect(
                try await server.assumeRole("deploy", as: World.alice, [("Policy", policy)]), 400,
                "MalformedPolicyDocument")
        }
        for arn in [
            "arn:aws:iam::111111111111:policy/None", "arn:aws:iam::222222222222:policy/KeyUsers",
            "arn:aws:iam::aws:policy/KeyUsers", "arn:aws-cn:iam::111111111111:policy/KeyUsers",
            "arn:aws:iam::111111111111:role/KeyUsers",
        ] {
            expect(
                try await server.assumeRole("deploy", as: World.alice, [("PolicyArns.member.1.arn", arn)]), 400,
                "ValidationError", "The policy \(arn) does not exist in account 111111111111.")
        }
    }

    @Test func `Policies and tags that do not fit into a token are refused`() async throws {
        var world = World()
        world.roles["deploy"]?.trust = World.allow(World.aliceARN, Self.everything)
        let server = try await TestServer(world)
        let tags = (1...50).flatMap { number in
            [
                ("Tags.member.\(number).Key", "key-\(number)"),
                ("Tags.member.\(number).Value", String(repeating: "v", count: 40)),
            ]
        }
        let fitting = try await server.assumeRole("deploy", as: World.alice, tags)
        #expect(fitting.status == 200)
        #expect(fitting.element("SessionToken").map { $0.utf8.count <= 4_096 } == true)
        #expect((fitting.element("PackedPolicySize").flatMap { Int($0) } ?? 0) > 80)
        let longer = tags.map { ($0.0, $0.0.hasSuffix("Value") ? String(repeating: "v", count: 80) : $0.1) }
        let refused = try await server.assumeRole("deploy", as: World.alice, longer)
        expect(refused, 400, "PackedPolicyTooLarge")
        let message = refused.element("Message")
        #expect(message?.wholeMatch(of: /Packed size of session tags consumes \d{3}% of allotted space\./) != nil)
        let policy = #"{"Version":"2012-10-17","Statement":[\#(World.allowing("kms:*"))]}"#
        let padded = policy + String(repeating: " ", count: 2_048 - policy.utf8.count)
        #expect(try await server.assumeRole("deploy", as: World.alice, [("Policy", padded)]).status == 200)
        let both = try await server.assumeRole("deploy", as: World.alice, tags + [("Policy", padded)])
        expect(both, 400, "PackedPolicyTooLarge")
        #expect(both.element("Message")?.hasPrefix("Packed policy consumes ") == true)
    }
}
