import Foundation
import KMSModel
import KMSServer
import Testing

/// Nothing that the service model calls sensitive, and no blob or token, reaches an audit line: tried with every member
/// of every request.
@Suite struct AuditRedactionTests {
    /// The service model, as far as these tests want it.
    private struct Model {
        struct Member {
            let operation: String
            let name: String
            let shape: String
        }

        let shapes: [String: [String: Any]]
        let members: [Member]

        init() throws {
            let file = URL(filePath: #filePath).deletingLastPathComponent()
                .appending(path: "../../Sources/kms-codegen/Model/kms-2014-11-01.json").standardized
            let model = try #require(JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
            let shapes = try #require(model["shapes"] as? [String: [String: Any]])
            let operations = try #require(model["operations"] as? [String: [String: Any]])
            self.shapes = shapes
            members = try operations.sorted { $0.key < $1.key }.flatMap { name, operation in
                let input = try #require((operation["input"] as? [String: Any])?["shape"] as? String)
                let members = shapes[input]?["members"] as? [String: [String: Any]] ?? [:]
                return try members.sorted { $0.key < $1.key }.map { member, reference in
                    Member(operation: name, name: member, shape: try #require(reference["shape"] as? String))
                }
            }
        }

        private func type(_ shape: String) -> String { shapes[shape]?["type"] as? String ?? "" }

        private func references(_ shape: String) -> [String] {
            let members = shapes[shape]?["members"] as? [String: [String: Any]] ?? [:]
            let parts =
                members.values.map { $0["shape"] as? String } + [
                    (shapes[shape]?["member"] as? [String: Any])?["shape"] as? String
                ]
            return parts.compactMap(\.self)
        }

        /// Blobs, what is marked as sensitive, tokens, and whatever has such a part.
        func isSecret(_ shape: String) -> Bool {
            type(shape) == "blob" || shapes[shape]?["sensitive"] as? Bool == true || shape == "GrantTokenType"
                || references(shape).contains { isSecret($0) }
        }

        /// A value of a shape in which every secret text and every blob is the canary.
        func value(of shape: String) -> Any {
            switch type(shape) {
            case "structure":
                (shapes[shape]?["members"] as? [String: [String: Any]] ?? [:]).mapValues {
                    value(of: $0["shape"] as? String ?? "")
                }
            case "list": references(shape).map { value(of: $0) }
            case "map": [AuditRedactionTests.canary: AuditRedactionTests.canary]
            case "blob": Data(AuditRedactionTests.canary.utf8).base64EncodedString()
            case "boolean": true
            case "integer", "long", "timestamp": 1
            default: isSecret(shape) ? AuditRedactionTests.canary : "other"
            }
        }
    }

    fileprivate static let canary = "kmsPswdCANARY0123456789abcdef"
    /// Secret members are spelt so in requests.
    private static let spellings = [canary, Data(canary.utf8).base64EncodedString()]

    @Test func `No line shows a secret member of any request`() async throws {
        let model = try Model()
        let server = try await TestServer(audit: .on)
        let root = World.root
        var tried = 0
        for member in model.members where model.isSecret(member.shape) {
            let body = try JSONSerialization.data(withJSONObject: [member.name: model.value(of: member.shape)])
            let response = await server.respond(try root.kms(member.operation, String(decoding: body, as: UTF8.self)))
            let line = try #require(try server.auditLines().last)
            #expect(line["eventName"] as? String == member.operation)
            #expect(line["requestID"] as? String == response.headers.first { $0.name == "x-amzn-RequestId" }?.value)
            tried += 1
        }
        // As many as the model has, so that a change of the model is noticed.
        #expect(tried == 40)
        let log = try server.auditText()
        for spelling in Self.spellings {
            let isThere = log.contains(spelling)
            #expect(!isThere, "\(spelling)")
        }
    }

    @Test func `Every other member of every request is shown`() async throws {
        // Withheld though no secret: bulky, or shown under another name.
        let others: Set = ["TrustAnchorCertificate", "CloudHsmClusterId"]
        let silent: Set = ["GenerateRandom", "RetireGrant"]
        let model = try Model()
        let server = try await TestServer(audit: .on)
        for member in model.members
        where !model.isSecret(member.shape) && !others.contains(member.name) && !silent.contains(member.operation) {
            let body = try JSONSerialization.data(withJSONObject: [member.name: model.value(of: member.shape)])
            _ = await server.respond(try World.root.kms(member.operation, String(decoding: body, as: UTF8.self)))
            let parameters = try server.auditLines().last?["requestParameters"] as? [String: Any]
            let name = member.name.prefix(1).lowercased() + member.name.dropFirst()
            #expect(parameters?[name] != nil, "\(member.operation) \(member.name)")
        }
    }

    @Test func `An unsigned request shows nothing of its body`() async throws {
        let server = try await TestServer(audit: .on)
        var stranger = World.root
        stranger.secretKey = "guessed"
        _ = await server.respond(try stranger.kms("DescribeKey", #"{"KeyId":"\#(Self.canary)"}"#))
        let line = try #require(try server.auditLines().last)
        #expect(line["requestParameters"] is NSNull && line["errorCode"] as? String == "InvalidSignatureException")
        #expect(try !server.auditText().contains(Self.canary))
    }
}
