import Cryptography
import Foundation
import KMSModel
import KMSServer
import SecureMemory

/// A client that signs its requests as SDKs do (IAM User Guide, "Create a signed AWS API request").
struct Client: Sendable {
    var accessKeyID: String
    var secretKey: String
    var token: String?
    var region = "eu-central-1"
    /// Of the credential scope; nil for that of the protocol.
    var scopeService: String?

    /// A request of the query protocol.
    func sts(
        _ action: String, _ parameters: [(String, String)] = [], version: String = "2011-06-15"
    ) throws -> WireRequest {
        try form(
            ([("Action", action), ("Version", version)] + parameters)
                .map { "\(Self.encoded($0.0))=\(Self.encoded($0.1))" }.joined(separator: "&"))
    }

    /// A request of the query protocol with this very body.
    func form(_ body: String) throws -> WireRequest {
        try request(
            body: body, service: "sts", headers: [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")])
    }

    /// A request of KMS.
    func kms(_ operation: String, _ body: String = "{}") throws -> WireRequest {
        try request(
            body: body, service: "kms",
            headers: [("Content-Type", "application/x-amz-json-1.1"), ("X-Amz-Target", "TrentService.\(operation)")])
    }

    private func request(body: String, service: String, headers: [(String, String)]) throws -> WireRequest {
        let timestamp = Date().formatted(.iso8601).filter { !"-:".contains($0) }
        var headers = [("Host", "localhost:8555"), ("X-Amz-Date", timestamp)] + headers
        if let token { headers.append(("X-Amz-Security-Token", token)) }
        let signed = headers.map { ($0.0.lowercased(), $0.1) }.sorted { $0.0 < $1.0 }
        let names = signed.map(\.0).joined(separator: ";")
        let canonical =
            "POST\n/\n\n" + signed.map { "\($0.0):\($0.1)\n" }.joined() + "\n\(names)\n"
            + Self.hexadecimal(try SHA256.digest(Array(body.utf8)))
        let scope = "\(timestamp.prefix(8))/\(region)/\(scopeService ?? service)/aws4_request"
        let digest = Self.hexadecimal(try SHA256.digest(Array(canonical.utf8)))
        let text = "AWS4-HMAC-SHA256\n\(timestamp)\n\(scope)\n\(digest)"
        var key = Array("AWS4\(secretKey)".utf8)
        for part in scope.split(separator: "/").map(String.init) + [text] {
            key = try HMACSHA256.authenticate(Array(part.utf8).span, key: key.span)
        }
        headers.append(("User-Agent", "test"))
        headers.append(
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=\(accessKeyID)/\(scope), SignedHeaders=\(names), "
                    + "Signature=\(Self.hexadecimal(key))"
            ))
        return WireRequest(
            method: "POST", path: "/", headers: headers.map { (name: $0.0, value: $0.1) }, sourceIP: "192.0.2.1",
            body: SecretBytes(copying: Array(body.utf8).span))
    }

    static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                String(decoding: [byte], as: UTF8.self)
            default: "%" + hexadecimal([byte]).uppercased()
            }
        }.joined()
    }

    static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension WireResponse {
    var text: String { String(decoding: body, as: UTF8.self) }

    /// The text of the first XML element of this name, as it stands in the document.
    func element(_ name: String) -> String? {
        guard let start = text.range(of: "<\(name)>"),
            let end = text.range(of: "</\(name)>", range: start.upperBound..<text.endIndex)
        else { return nil }
        return String(text[start.upperBound..<end.lowerBound])
    }
}

/// A small deterministic generator (SplitMix64), so that a failing run can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
