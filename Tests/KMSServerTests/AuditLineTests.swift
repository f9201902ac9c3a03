import Foundation
import KMSServer
import SecureMemory
import Testing

/// What a line says of its call.
@Suite struct AuditLineTests {
    private func line(
        of request: WireRequest, _ server: TestServer
    ) async throws -> (line: [String: Any], response: WireResponse) {
        let response = await server.respond(request)
        return (try #require(try server.auditLines().last), response)
    }

    @Test func `A call has one line, with the id of its answer`() async throws {
        let server = try await TestServer(audit: .required)
        for number in 1...3 {
            let (line, response) = try await line(of: World.root.kms("ListKeys"), server)
            #expect(try server.auditLines().count == number)
            #expect(line["requestID"] as? String == response.headers.first { $0.name == "x-amzn-RequestId" }?.value)
            #expect(line["requestParameters"] is NSNull && line["responseElements"] is NSNull)
            #expect(line["errorCode"] == nil && line["readOnly"] as? Bool == true)
            #expect((line["resources"] as? [Any])?.isEmpty == true)
        }
    }

    @Test func `A root user, a user and a session are told apart`() async throws {
        let server = try await TestServer(audit: .on)
        func identity(_ client: Client) async throws -> [String: Any] {
            try await line(of: client.kms("ListKeys"), server).line["userIdentity"] as? [String: Any] ?? [:]
        }
        #expect(try await identity(World.root)["type"] as? String == "Root")
        let alice = try await identity(World.alice)
        #expect(alice["type"] as? String == "IAMUser" && alice["userName"] as? String == "alice")
        #expect(alice["accessKeyId"] as? String == World.alice.accessKeyID)
        let session = try await identity(server.session(of: "deploy", as: World.alice))
        #expect(session["type"] as? String == "AssumedRole")
        #expect(session["principalId"] as? String == "AROADEPLOYDEPLOYDEPLO:ci")
        let issuer = (session["sessionContext"] as? [String: Any])?["sessionIssuer"] as? [String: Any]
        #expect(issuer?["userName"] as? String == "deploy")
    }

    @Test func `AssumeRole shows the role and no credentials`() async throws {
        let server = try await TestServer(audit: .on)
        let session = try await server.session(of: "deploy", as: World.alice)
        let line = try #require(try server.auditLines().last)
        #expect(line["eventName"] as? String == "AssumeRole" && line["eventSource"] as? String == "sts.amazonaws.com")
        let parameters = line["requestParameters"] as? [String: Any]
        #expect(parameters?["roleArn"] as? String == "arn:aws:iam::111111111111:role/deploy")
        #expect(parameters?["roleSessionName"] as? String == "ci")
        let log = try server.auditText()
        for secret in [session.secretKey, session.token ?? ""] { #expect(!secret.isEmpty && !log.contains(secret)) }
    }

    @Test func `What nobody signed names an access key only if there is such a one`() async throws {
        let server = try await TestServer(audit: .on)
        for (id, isShown) in [(World.root.accessKeyID, true), ("wJalrXUtnFEMIK7MDENG", false)] {
            let stranger = Client(accessKeyID: id, secretKey: "guessed")
            let identity = try await line(of: stranger.kms("ListKeys"), server).line["userIdentity"] as? [String: Any]
            #expect(identity?["type"] as? String == "Unknown" && identity?["arn"] == nil)
            #expect(identity?["accessKeyId"] as? String == (isShown ? id : nil))
        }
    }

    @Test func `What is too large is left out, and said to be`() async throws {
        let server = try await TestServer(audit: .on)
        let context = (0..<3_000).map { #""name\#($0)":"\#(String(repeating: "v", count: 40))""# }.joined(
            separator: ",")
        let body = #"{"KeyId":"k","EncryptionContext":{\#(context)}}"#
        let (line, _) = try await line(of: World.root.kms("GenerateDataKey", body), server)
        let parameters = line["requestParameters"] as? [String: Any]
        #expect(parameters?["omitted"] as? Bool == true && parameters?["keyId"] == nil)
    }

    @Test func `A long user agent is cut between two characters`() async throws {
        let server = try await TestServer(audit: .on)
        let plain = try World.root.kms("ListKeys")
        let agent = "x" + String(repeating: "é", count: 1_000)
        let headers = plain.headers.map { $0.name == "User-Agent" ? (name: $0.name, value: agent) : $0 }
        let request = WireRequest(
            method: plain.method, path: plain.path, headers: headers, sourceIP: plain.sourceIP, body: plain.body)
        let shown = try await line(of: request, server).line["userAgent"] as? String
        #expect(shown == String(agent.prefix(512)))
    }

    @Test func `A body that never arrived whole has a line`() async throws {
        let server = try await TestServer(audit: .on)
        let response = server.handler.tooLarge()
        let line = try #require(try server.auditLines().last)
        #expect(line["requestID"] as? String == response.headers.first { $0.name == "x-amzn-RequestId" }?.value)
        #expect(line["eventName"] as? String == "Unknown" && line["errorCode"] != nil)
    }

    @Test func `Health probes are no calls`() async throws {
        let server = try await TestServer(audit: .on)
        let probe = WireRequest(method: "GET", path: "/ready", headers: [], body: SecretBytes(copying: [UInt8]().span))
        _ = await server.respond(probe)
        #expect(try FileManager.default.contentsOfDirectory(atPath: server.auditPath).isEmpty)
    }
}
