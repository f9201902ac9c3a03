internal import Cryptography
internal import SecureMemory

/// What one signing key is good for: one access key, one day, one Region.
struct SigningKeyScope: Hashable, Sendable {
    let accessKeyID: String
    let day: String
    let region: String
}

/// The derived key that signs requests (AWS General Reference, "Calculate the signature"): four HMACs deep, the same
/// for a whole day, and so worth keeping.
enum SigningKey {
    static func derive(
        secret: SecretBytes, day: String, region: String, service: String
    ) throws(CryptographyError) -> SecretBytes {
        let prefix: [UInt8] = Array("AWS4".utf8)
        let start = SecretBytes(capacity: prefix.count + secret.count) { output in
            for byte in prefix { output.append(byte) }
            secret.withBytes { secret in
                for index in secret.indices { output.append(secret[index]) }
            }
        }
        var key = start
        for part in [day, region, service, "aws4_request"] {
            let message = Array(part.utf8)
            key = try key.withBytes { bytes throws(CryptographyError) in
                try HMACSHA256.deriveKey(from: message.span, key: bytes)
            }
        }
        return key
    }

    /// The 64 hexadecimal digits that sign a canonical request.
    static func signature(
        of canonical: [UInt8], timestamp: String, scope: String, key: SecretBytes
    ) throws(CryptographyError) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(192)
        text.append(contentsOf: "AWS4-HMAC-SHA256\n".utf8)
        text.append(contentsOf: timestamp.utf8)
        text.append(UInt8(ascii: "\n"))
        text.append(contentsOf: scope.utf8)
        text.append(UInt8(ascii: "\n"))
        CanonicalRequest.append(hexadecimal: try SHA256.digest(canonical.span), to: &text)
        let code = try HMACSHA256.authenticate(text.span, key: key)
        var digits: [UInt8] = []
        digits.reserveCapacity(2 * code.count)
        CanonicalRequest.append(hexadecimal: code, to: &digits)
        return digits
    }
}
