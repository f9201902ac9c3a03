import Cryptography
import SecureMemory
import SigV4

/// Signs requests as a client does, written apart from the verifier: text building with strings, straight from the
/// published description. Every part can be replaced to make a request that is wrong in one way.
struct TestSigner {
    var accessKeyID = "AKIDEXAMPLE"
    var secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    var day = "20150830"
    var region = "us-east-1"
    var service = "kms"
    var terminator = "aws4_request"
    var timestamp = "20150830T123600Z"
    var body = Array(#"{"KeyId":"alias/x"}"#.utf8)
    var headers: [(name: String, value: String)] = [
        ("Host", "localhost:8555"), ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Amz-Target", "TrentService.DescribeKey"), ("X-Amz-Date", "20150830T123600Z"),
        ("User-Agent", "test"),
    ]
    /// Nil signs everything but User-Agent.
    var signedHeaders: [String]?

    /// 2015-08-30T12:36:00Z, the time of the published vectors.
    static let time: Int64 = 1_440_938_160

    var scope: String { "\(day)/\(region)/\(service)/\(terminator)" }
    var signedNames: [String] {
        signedHeaders ?? headers.map { $0.name.lowercased() }.filter { $0 != "user-agent" }.sorted()
    }

    /// The Authorization header's value.
    func authorization() throws -> String {
        "AWS4-HMAC-SHA256 Credential=\(accessKeyID)/\(scope), SignedHeaders=\(signedNames.joined(separator: ";")), "
            + "Signature=\(try signature())"
    }

    /// The whole request, with `authorization` or the right one in front.
    func request(authorization: String? = nil) throws -> SignedRequest {
        let value = try authorization ?? self.authorization()
        return SignedRequest(
            method: "POST", path: "/", query: "", headers: [("Authorization", value)] + headers,
            bodyDigest: try SHA256.digest(body))
    }

    func signature() throws -> String {
        var canonical = "POST\n/\n\n"
        for name in signedNames {
            let value = headers.first { $0.name.lowercased() == name }?.value ?? ""
            canonical += "\(name):\(value)\n"
        }
        canonical += "\n\(signedNames.joined(separator: ";"))\n\(Self.hexadecimal(try SHA256.digest(body)))"
        let digest = Self.hexadecimal(try SHA256.digest(Array(canonical.utf8)))
        let text = "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n\(digest)"
        var key = Array("AWS4\(secretKey)".utf8)
        for part in [day, region, service, terminator, text] {
            key = try HMACSHA256.authenticate(Array(part.utf8).span, key: key.span)
        }
        return Self.hexadecimal(key)
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

/// Credentials in memory that count how often they are asked for.
final class TestCredentials: SigningCredentialSource {
    private let state: Locked

    init(_ secrets: [String: String] = ["AKIDEXAMPLE": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"]) {
        state = Locked((secrets, 0))
    }

    var lookups: Int { state.withValue { $0.lookups } }

    func replace(_ accessKeyID: String, with secret: String?) { state.withValue { $0.secrets[accessKeyID] = secret } }

    func secret(accessKeyID: String, sessionToken: String?) -> SecretBytes? {
        state.withValue { state in
            state.lookups += 1
            return state.secrets[accessKeyID].map { SecretBytes(copying: Array($0.utf8).span) }
        }
    }
}
