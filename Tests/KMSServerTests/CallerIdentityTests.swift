import KMSServer
import Testing

/// The query protocol and who it says that one is.
struct CallerIdentityTests {
    @Test func `A user is told who he is, whatever his policies`() async throws {
        var world = World()
        world.alicePolicy = #"{"Effect":"Deny","Action":"*","Resource":"*"}"#
        let response = try await TestServer(world).respond(World.alice.sts("GetCallerIdentity"))
        let requestID = try #require(response.headers.first { $0.name == "x-amzn-RequestId" }?.value)
        #expect(response.status == 200)
        #expect(response.headers.first { $0.name == "Content-Type" }?.value == "text/xml")
        #expect(
            response.text
                == #"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>"#
                + "<Arn>arn:aws:iam::111111111111:user/team/alice</Arn><UserId>AIDAALICE</UserId>"
                + "<Account>111111111111</Account></GetCallerIdentityResult><ResponseMetadata>"
                + "<RequestId>\(requestID)</RequestId></ResponseMetadata></GetCallerIdentityResponse>")
    }

    @Test func `A root user's id is his account, a session's has the session name`() async throws {
        let server = try await TestServer()
        let root = try await server.respond(World.root.sts("GetCallerIdentity"))
        #expect(root.element("Arn") == "arn:aws:iam::111111111111:root")
        #expect(root.element("UserId") == "111111111111")
        let session = try await server.session(of: "deploy", as: World.alice)
        let identity = try await server.respond(session.sts("GetCallerIdentity"))
        #expect(identity.element("Arn") == "arn:aws:sts::111111111111:assumed-role/deploy/ci")
        #expect(identity.element("UserId") == "AROADEPLOYDEPLOYDEPLO:ci")
        #expect(identity.element("Account") == "111111111111")
    }

    @Test func `Any Region of the right form serves`() async throws {
        let server = try await TestServer()
        for (region, status) in [("us-east-1", 200), ("us-gov-west-1", 200), ("aws-global", 403), ("moon", 403)] {
            var alice = World.alice
            alice.region = region
            #expect(try await server.respond(alice.sts("GetCallerIdentity")).status == status, "\(region)")
        }
    }

    private func expect(
        _ response: WireResponse, _ status: Int, _ code: String, _ message: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(response.status == status, sourceLocation: sourceLocation)
        #expect(response.element("Code") == code, sourceLocation: sourceLocation)
        #expect(response.element("Type") == "Sender", sourceLocation: sourceLocation)
        #expect(response.text.hasPrefix("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error>"))
        #expect(response.element("RequestId") == response.headers.first { $0.name == "x-amzn-RequestId" }?.value)
        if let message { #expect(response.element("Message") == message, sourceLocation: sourceLocation) }
    }

    @Test func `Requests that prove nothing are refused with the codes of STS`() async throws {
        let server = try await TestServer()
        var client = World.alice
        client.scopeService = "kms"
        expect(
            try await server.respond(client.sts("GetCallerIdentity")), 403, "SignatureDoesNotMatch",
            "Credential should be scoped to correct service: &apos;sts&apos;.")
        client = World.alice
        client.secretKey = "wrong"
        expect(try await server.respond(client.sts("GetCallerIdentity")), 403, "SignatureDoesNotMatch")
        client = World.alice
        client.accessKeyID = "AKIANOBODY"
        expect(
            try await server.respond(client.sts("GetCallerIdentity")), 403, "InvalidClientTokenId",
            "The security token included in the request is invalid.")
        let signed = try World.alice.sts("GetCallerIdentity")
        let headers = signed.headers.filter { $0.name != "Authorization" }
        expect(
            await server.respond(
                WireRequest(method: "POST", path: "/", headers: headers, body: signed.body)), 403,
            "MissingAuthenticationToken", "Request is missing Authentication Token")
        expect(
            await server.respond(
                WireRequest(
                    method: "POST", path: "/", headers: headers + [("Authorization", "AWS4-HMAC-SHA256 x")],
                    body: signed.body)), 400, "IncompleteSignature")
        let other = try World.alice.sts("AssumeRole")
        expect(
            await server.respond(
                WireRequest(method: "POST", path: "/", headers: signed.headers, body: other.body)), 403,
            "SignatureDoesNotMatch")
    }

    @Test func `Actions and versions that do not exist are refused, and what is no form`() async throws {
        let server = try await TestServer()
        expect(
            try await server.respond(World.alice.sts("GetSessionToken")), 400, "InvalidAction",
            "Could not find operation GetSessionToken for version 2011-06-15")
        expect(
            try await server.respond(World.alice.sts("GetCallerIdentity", version: "2010-05-08")), 400, "InvalidAction",
            "Could not find operation GetCallerIdentity for version 2010-05-08")
        expect(
            try await server.respond(World.alice.form("Action=GetCallerIdentity")), 400, "InvalidAction",
            "Could not find operation GetCallerIdentity for version NO_VERSION_SPECIFIED")
        expect(try await server.respond(World.alice.form("Version=2011-06-15")), 400, "MissingAction")
        expect(try await server.respond(World.alice.form("Action=%FF")), 400, "MalformedInput")
        expect(try await server.respond(World.alice.form("Action=a&Action=b")), 400, "MalformedInput")
        expect(
            try await server.respond(World.alice.sts("<a>&\u{1}")), 400, "InvalidAction",
            "Could not find operation &lt;a&gt;&amp;\u{fffd} for version 2011-06-15")
    }

    @Test func `A form is asked for its signature before anything in it is looked at`() async throws {
        var client = World.alice
        client.secretKey = "wrong"
        expect(try await TestServer().respond(client.form("%")), 403, "SignatureDoesNotMatch")
    }

    @Test func `Another content type or a target of KMS is not of the query protocol`() async throws {
        let server = try await TestServer()
        let request = try World.alice.sts("GetCallerIdentity")
        for headers in [
            request.headers.map { $0.name == "Content-Type" ? ($0.name, "application/x-www-form-urlencodedx") : $0 },
            request.headers + [("X-Amz-Target", "TrentService.ListKeys")],
            request.headers.filter { $0.name != "Content-Type" },
        ] {
            let response = await server.respond(
                WireRequest(method: "POST", path: "/", headers: headers, body: request.body))
            #expect(response.headers.first { $0.name == "Content-Type" }?.value == "application/x-amz-json-1.1")
            #expect(response.status == 400)
        }
    }
}
