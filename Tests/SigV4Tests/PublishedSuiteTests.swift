import Cryptography
import Foundation
import SigV4
import Testing

/// AWS's own Signature Version 4 test suite: requests, and what must be made of them.
@Suite struct PublishedSuiteTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let folder: URL
        var name: String { folder.lastPathComponent }
        var testDescription: String { name }

        func text(_ kind: String) throws -> String {
            let bytes = try Data(contentsOf: folder.appending(path: "\(name).\(kind)"))
            return try #require(String(bytes: bytes, encoding: .utf8))
        }

        /// The signed request, taken apart by hand: some of them no HTTP parser would take.
        func request() throws -> SignedRequest {
            let text = try text("sreq")
            let parts = text.components(separatedBy: "\n\n")
            var lines = parts[0].components(separatedBy: "\n")
            let requestLine = lines.removeFirst()
            let method = try #require(requestLine.components(separatedBy: " ").first)
            let target = requestLine.dropFirst(method.count + 1).dropLast(" HTTP/1.1".count)
            let pieces = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            var headers: [(name: String, value: String)] = []
            for line in lines {
                if line.hasPrefix(" "), let last = headers.indices.last {
                    headers[last].value += "\n" + line
                } else {
                    let colon = try #require(line.firstIndex(of: ":"))
                    // An HTTP parser takes the white space after the colon away (RFC 9110 §5.5).
                    let value = line[line.index(after: colon)...].drop { $0 == " " }
                    headers.append((String(line[..<colon]), String(value)))
                }
            }
            // The .sreq of get-vanilla-with-session-token carries another case's signature; .authz has the right one.
            for index in headers.indices where headers[index].name == "Authorization" {
                headers[index].value = try self.text("authz")
            }
            let body = parts.dropFirst().joined(separator: "\n\n")
            return SignedRequest(
                method: method, path: pieces[0], query: pieces.count > 1 ? pieces[1] : "", headers: headers,
                bodyDigest: try SHA256.digest(Array(body.utf8)))
        }
    }

    /// Refused here on purpose, with what they are refused for: a signature over several headers of one name, or over
    /// a folded one, leaves it to each reader which value counts; a session token must be signed.
    static let refused: [String: SigV4Error] = [
        "get-header-key-duplicate": .duplicateHeader("my-header1"),
        "get-header-value-order": .duplicateHeader("my-header1"),
        "get-header-value-multiline": .incompleteSignature("A signed header must not contain control characters."),
        "post-sts-header-after": .unsignedHeader("x-amz-security-token"),
    ]

    static let cases: [Case] = {
        let suite = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Vectors/aws-sigv4")
        let files = FileManager.default.enumerator(at: suite, includingPropertiesForKeys: nil)
        let requests = (files?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "sreq" }
        return requests.map { Case(folder: $0.deletingLastPathComponent()) }.sorted { $0.name < $1.name }
    }()

    private let verifier = SignatureVerifier(service: "service", credentials: TestCredentials())

    @Test func `The suite is there in full`() {
        #expect(Self.cases.count == 34)
        #expect(Set(Self.cases.map(\.name)).isSuperset(of: Self.refused.keys))
    }

    @Test(arguments: cases.filter { refused[$0.name] == nil })
    func `The signature of the suite verifies`(test: Case) throws {
        let verified = try verifier.verify(test.request(), now: TestSigner.time)
        #expect(verified.accessKeyID == "AKIDEXAMPLE")
        #expect(verified.region == "us-east-1")
        #expect(verified.service == "service")
        #expect(verified.signedAt == TestSigner.time)
    }

    @Test(arguments: cases.filter { refused[$0.name] == nil })
    func `The canonical request of the suite comes out byte for byte`(test: Case) throws {
        let canonical = try verifier.canonicalRequest(of: test.request())
        try #expect(String(decoding: canonical, as: UTF8.self) == test.text("creq"))
    }

    @Test(arguments: cases.filter { refused[$0.name] != nil })
    func `Ambiguous requests of the suite are refused`(test: Case) throws {
        let error = #expect(throws: SigV4Error.self) { _ = try verifier.verify(test.request(), now: TestSigner.time) }
        #expect(error == Self.refused[test.name])
    }

    @Test(arguments: cases.filter { refused[$0.name] == nil })
    func `A changed signature, method, path, query, header or body is refused`(test: Case) throws {
        func expectMismatch(_ change: (inout SignedRequest) -> Void) throws {
            var request = try test.request()
            change(&request)
            #expect(throws: SigV4Error.signatureMismatch) { _ = try verifier.verify(request, now: TestSigner.time) }
        }
        try expectMismatch { $0.method += "S" }
        try expectMismatch { $0.path += "x" }
        try expectMismatch { $0.query += $0.query.isEmpty ? "a=b" : "x" }
        try expectMismatch { $0.bodyDigest[31] ^= 1 }
        try expectMismatch { request in
            for index in request.headers.indices where request.headers[index].name == "Host" {
                request.headers[index].value += "x"
            }
        }
        try expectMismatch { request in
            for index in request.headers.indices where request.headers[index].name == "Authorization" {
                let last = request.headers[index].value.removeLast()
                request.headers[index].value.append(last == "0" ? "1" : "0")
            }
        }
    }
}
