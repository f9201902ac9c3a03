internal import Cryptography
internal import Foundation

/// Makes requests signed with AWS Signature Version 4, as bytes that can be sent many times: a signature is valid for
/// five minutes, so a load generator that signs beforehand costs next to nothing while it measures.
///
/// Source: IAM User Guide, "Create a signed AWS API request".
struct RequestSigner {
    let accessKeyID = "test"
    let secretAccessKey = "test"
    let region = "us-east-1"
    /// What the header `Host` says.
    let host: String

    /// A whole HTTP/1.1 request for an operation of KMS, signed now.
    func request(_ operation: String, body: String) throws -> [UInt8] {
        let timestamp = Self.timestamp(Date())
        let date = String(timestamp.prefix(8))
        let signedHeaders = "content-type;host;x-amz-date;x-amz-target"
        let canonicalRequest = """
            POST
            /

            content-type:application/x-amz-json-1.1
            host:\(host)
            x-amz-date:\(timestamp)
            x-amz-target:TrentService.\(operation)

            \(signedHeaders)
            \(Self.hexadecimal(try SHA256.digest(Array(body.utf8))))
            """
        let scope = "\(date)/\(region)/kms/aws4_request"
        let stringToSign = """
            AWS4-HMAC-SHA256
            \(timestamp)
            \(scope)
            \(Self.hexadecimal(try SHA256.digest(Array(canonicalRequest.utf8))))
            """
        var key = Array("AWS4\(secretAccessKey)".utf8)
        for part in [date, region, "kms", "aws4_request"] {
            key = try HMACSHA256.authenticate(Array(part.utf8).span, key: key.span)
        }
        let signature = Self.hexadecimal(try HMACSHA256.authenticate(Array(stringToSign.utf8).span, key: key.span))
        let authorization =
            "AWS4-HMAC-SHA256 Credential=\(accessKeyID)/\(scope), SignedHeaders=\(signedHeaders), Signature=\(signature)"
        let head = [
            "POST / HTTP/1.1",
            "Host: \(host)",
            "Accept-Encoding: identity",
            "User-Agent: kms-bench",
            "Content-Type: application/x-amz-json-1.1",
            "Content-Length: \(body.utf8.count)",
            "X-Amz-Target: TrentService.\(operation)",
            "X-Amz-Date: \(timestamp)",
            "Authorization: \(authorization)",
        ]
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }

    private static func timestamp(_ date: Date) -> String {
        // 2026-01-02T03:04:05Z without its separators.
        date.formatted(.iso8601).filter { !"-:".contains($0) }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
