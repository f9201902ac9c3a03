import KMSCore
import KMSModel
import KMSPolicy
import KMSServer
import Testing

/// What session credentials are good for, and what ends them.
struct SessionTests {
    private func expect(
        _ response: WireResponse, _ code: String, _ message: String, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(response.status == 400, sourceLocation: sourceLocation)
        #expect(response.text.contains("\"__type\":\"\(code)\""), "\(response.text)", sourceLocation: sourceLocation)
        #expect(response.text.contains(message), "\(response.text)", sourceLocation: sourceLocation)
    }

    private static let invalid = "The security token included in the request is invalid."
    private static let mismatch = "The request signature we calculated does not match"

    @Test func `A session may what its role may, again and again and after a restart`() async throws {
        let server = try await TestServer()
        let session = try await server.session(of: "deploy", as: World.alice)
        for _ in 0..<3 { #expect(try await server.respond(session.kms("ListKeys")).status == 200) }
        server.restart()
        #expect(try await server.respond(session.kms("ListKeys")).status == 200)
        // Alice herself has no policy that lets her.
        expect(try await server.respond(World.alice.kms("ListKeys")), "AccessDeniedException", World.aliceARN)
    }

    @Test func `A session needs its own token, and its own signature`() async throws {
        let server = try await TestServer()
        let session = try await server.session(of: "deploy", as: World.alice)
        let other = try await server.session(of: "deploy", as: World.alice)
        for warm in [false, true] {
            if warm { #expect(try await server.respond(session.kms("ListKeys")).status == 200) }
            var wrong = session
            wrong.token = nil
            expect(try await server.respond(wrong.kms("ListKeys")), "UnrecognizedClientException", Self.invalid)
            for token in [other.token, "", "AQID", "é", (session.token ?? "") + "AAAA"] {
                wrong.token = token
                expect(try await server.respond(wrong.kms("ListKeys")), "UnrecognizedClientException", Self.invalid)
            }
            wrong = session
            wrong.secretKey = other.secretKey
            expect(try await server.respond(wrong.kms("ListKeys")), "InvalidSignatureException", Self.mismatch)
            wrong = session
            wrong.accessKeyID = other.accessKeyID
            wrong.secretKey = other.secretKey
            expect(try await server.respond(wrong.kms("ListKeys")), "UnrecognizedClientException", Self.invalid)
        }
    }

    @Test func `A long-term key comes without a token, and no session has a long-term key`() async throws {
        let server = try await TestServer()
        let session = try await server.session(of: "deploy", as: World.alice)
        for warm in [false, true] {
            if warm { _ = try await server.respond(World.alice.kms("ListKeys")) }
            var alice = World.alice
            alice.token = session.token
            expect(try await server.respond(alice.kms("ListKeys")), "UnrecognizedClientException", Self.invalid)
        }
        // The principals have this id, but ids that begin so are those of sessions.
        let wrong = Client(accessKeyID: "ASIAALICE", secretKey: "alice-secret")
        expect(try await server.respond(wrong.kms("ListKeys")), "UnrecognizedClientException", Self.invalid)
    }

    @Test func `An expired session is told so, but only if the signature is right`() async throws {
        let server = try await TestServer()
        let warm = try await server.session(of: "deploy", as: World.alice, [("DurationSeconds", "900")])
        let cold = try await server.session(of: "deploy", as: World.alice, [("DurationSeconds", "900")])
        #expect(try await server.respond(warm.kms("ListKeys")).status == 200)
        _ = try await server.service.advanceClock(bySeconds: 450)
        #expect(try await server.respond(warm.kms("ListKeys")).status == 200)
        _ = try await server.service.advanceClock(bySeconds: 450)
        for session in [warm, cold] {
            expect(
                try await server.respond(session.kms("ListKeys")), "ExpiredTokenException",
                "The security token included in the request is expired\"")
            var wrong = session
            wrong.secretKey = "wrong"
            expect(try await server.respond(wrong.kms("ListKeys")), "InvalidSignatureException", Self.mismatch)
            let identity = try await server.respond(session.sts("GetCallerIdentity"))
            #expect(identity.status == 403)
            #expect(identity.element("Code") == "ExpiredToken")
        }
    }

    @Test func `A role that is gone, or was made anew, ends its sessions with the next request`() async throws {
        let server = try await TestServer()
        let session = try await server.session(of: "deploy", as: World.alice)
        #expect(try await server.respond(session.kms("ListKeys")).status == 200)
        var world = World()
        world.roles["deploy"]?.uniqueID = "AROAANOTHERANOTHERANO"
        server.principals.replace(with: try world.principals())
        expect(try await server.respond(session.kms("ListKeys")), "UnrecognizedClientException", Self.invalid)
        world.roles = [:]
        server.principals.replace(with: try world.principals())
        expect(try await server.respond(session.kms("ListKeys")), "UnrecognizedClientException", Self.invalid)
        server.principals.replace(with: try World().principals())
        #expect(try await server.respond(session.kms("ListKeys")).status == 200)
    }

    @Test func `What a role may do is what its policies say at the moment of the request`() async throws {
        let server = try await TestServer()
        let session = try await server.session(of: "deploy", as: World.alice)
        for _ in 0..<3 {
            #expect(try await server.respond(session.kms("ListKeys")).status == 200)
            var world = World()
            world.roles["deploy"]?.policy = World.allowing("kms:ListAliases")
            server.principals.replace(with: try world.principals())
            expect(
                try await server.respond(session.kms("ListKeys")), "AccessDeniedException",
                "arn:aws:sts::111111111111:assumed-role/deploy/ci")
            server.principals.replace(with: try World().principals())
        }
    }

    @Test func `A replaced secret or a removed access key holds for the next request`() async throws {
        let server = try await TestServer()
        #expect(try await server.respond(World.alice.sts("GetCallerIdentity")).status == 200)
        _ = try await server.respond(World.alice.kms("ListKeys"))
        var world = World()
        world.aliceSecret = "another"
        server.principals.replace(with: try world.principals())
        expect(try await server.respond(World.alice.kms("ListKeys")), "InvalidSignatureException", Self.mismatch)
        #expect(
            try await server.respond(World.alice.sts("GetCallerIdentity")).element("Code") == "SignatureDoesNotMatch")
        var alice = World.alice
        alice.secretKey = "another"
        #expect(try await server.respond(alice.sts("GetCallerIdentity")).status == 200)
        server.principals.replace(with: Principals(directory: try World().principals().directory, accessKeys: []))
        expect(try await server.respond(alice.kms("ListKeys")), "UnrecognizedClientException", Self.invalid)
    }

    @Test func `A session policy limits its session, inline or managed`() async throws {
        let server = try await TestServer()
        let policy = #"{"Version":"2012-10-17","Statement":[\#(World.allowing("kms:ListAliases"))]}"#
        for parameters in [
            [("Policy", policy)], [("PolicyArns.member.1.arn", "arn:aws:iam::111111111111:policy/KeyUsers")],
        ] {
            let session = try await server.session(of: "deploy", as: World.alice, parameters)
            for _ in 0..<2 {
                #expect(try await server.respond(session.kms("ListAliases")).status == 200)
                expect(
                    try await server.respond(session.kms("ListKeys")), "AccessDeniedException",
                    "no session policy allows the kms:ListKeys action")
            }
        }
        let everything = try await server.session(
            of: "deploy", as: World.alice,
            [("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AdministratorAccess")])
        #expect(try await server.respond(everything.kms("ListKeys")).status == 200)
    }

    @Test func `A managed policy that is gone lets a session do nothing`() async throws {
        let server = try await TestServer()
        let session = try await server.session(
            of: "deploy", as: World.alice, [("PolicyArns.member.1.arn", "arn:aws:iam::111111111111:policy/KeyUsers")])
        #expect(try await server.respond(session.kms("ListAliases")).status == 200)
        var directory = try World().principals().directory
        directory.add(.init(id: "111111111111"))
        server.principals.replace(with: Principals(directory: directory, accessKeys: []))
        expect(
            try await server.respond(session.kms("ListAliases")), "AccessDeniedException", "no session policy allows")
    }
}
