internal import Cryptography
internal import Foundation
internal import SecureMemory
internal import SigV4

/// Makes signed requests as bytes that can be sent many times: a signature is valid for five minutes, so a load
/// generator that signs beforehand costs next to nothing while it measures.
struct SignedBytes {
    /// What the header `Host` says.
    let host: String

    private let signer = RequestSigner(
        credentials: SigningCredentials(
            accessKeyID: "test", secretAccessKey: SecretBytes(copying: Array("test".utf8).span)),
        region: "us-east-1")

    init(host: String) { self.host = host }

    /// A whole HTTP/1.1 request for an operation of KMS, signed now.
    func request(_ operation: String, body: String) throws -> [UInt8] {
        let signed = [
            (name: "Host", value: host), (name: "Content-Type", value: "application/x-amz-json-1.1"),
            (name: "X-Amz-Target", value: "TrentService.\(operation)"),
        ]
        let signature = try signer.sign(
            SignedRequest(
                method: "POST", path: "/", query: "", headers: signed,
                bodyDigest: try SHA256.digest(Array(body.utf8))),
            at: Int64(Date().timeIntervalSince1970))
        let plain = [
            (name: "Accept-Encoding", value: "identity"), (name: "User-Agent", value: "kms-bench"),
            (name: "Content-Length", value: "\(body.utf8.count)"),
        ]
        let head = ["POST / HTTP/1.1"] + (signed + plain + signature).map { "\($0.name): \($0.value)" }
        return Array((head.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
    }
}
