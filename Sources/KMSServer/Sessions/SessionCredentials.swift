package import Cryptography
internal import KMSModel
package import SecureMemory

/// The access key of a role session: an id and the secret that belongs to it. Nothing of it is stored; the secret is
/// derived from the id whenever it is needed.
package enum SessionCredentials {
    /// AWS gives temporary access keys this prefix (IAM User Guide, "Unique identifiers").
    package static let prefix = "ASIA"
    private static let randomCharacterCount = 16
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    /// 30 bytes are 40 characters of base64, the length of AWS's secret access keys.
    private static let secretByteCount = 30

    /// 80 random bits.
    package static func makeAccessKeyID() throws(CryptographyError) -> String {
        let random = try SystemRandom.bytes(randomCharacterCount)
        // 32 characters: each byte chooses evenly.
        return prefix + String(decoding: random.map { alphabet[Int($0 & 31)] }, as: UTF8.self)
    }

    /// Whether an access key id is that of a session, genuine or not: no other kind of credentials has such ids.
    package static func isAccessKeyID(_ id: String) -> Bool { id.utf8.starts(with: prefix.utf8) }

    /// The secret access key of a session, as text.
    ///
    /// - Parameter secret: the server's own, 32 bytes; other keys are derived from it with other labels.
    package static func secretKey(
        accessKeyID: String, secret: SecretBytes
    ) throws(CryptographyError) -> SecretBytes {
        let derived = try CounterKDF.derive(
            from: secret, label: "strongroom-session-secret-v1", context: Array(accessKeyID.utf8),
            count: secretByteCount)
        return SecretBytes(capacity: Base64.encodedCount(secretByteCount)) { output in
            derived.withBytes { Base64.encode($0, into: &output) }
        }
    }
}
