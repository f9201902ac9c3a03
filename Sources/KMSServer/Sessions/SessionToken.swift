package import Cryptography
internal import KMSModel
package import SecureMemory

/// The session token that a client carries for the server: the content of its session, sealed.
///
///     base64( version (1) ‖ nonce (16) ‖ ciphertext ‖ tag (16) )
///
/// AES-256-GCM with a key and an IV for each token, both derived from the server's secret and the random nonce, so that
/// no number of tokens wears a key out. Version and access key id are associated data: a token is good for the access
/// key that it was made with and for no other.
package enum SessionToken {
    /// Headers have room for much more, but proxies often stop at 8 KiB for all of them.
    package static let maximumCharacterCount = 4096
    private static let version: UInt8 = 1
    private static let nonceByteCount = 16
    private static let ivByteCount = 12
    private static var overhead: Int { 1 + nonceByteCount + AES256GCM.tagByteCount }
    /// How long the encoded content of a session may be.
    package static var maximumContentByteCount: Int { maximumCharacterCount / 4 * 3 - overhead }

    /// Nil when the content is too long.
    package static func seal(
        _ content: SessionContent, accessKeyID: String, secret: SecretBytes
    ) throws(CryptographyError) -> String? {
        guard let encoded = content.encoded(), encoded.count <= maximumContentByteCount else { return nil }
        let nonce = try SystemRandom.bytes(nonceByteCount)
        let derived = try derive(from: secret, nonce: nonce)
        let associatedData = associatedData(accessKeyID)
        let (ciphertext, tag) = try derived.withBytes { derived throws(CryptographyError) in
            try AES256GCM.seal(
                plaintext: encoded.span, key: derived.extracting(..<AES256GCM.keyByteCount),
                iv: derived.extracting(AES256GCM.keyByteCount...), associatedData: associatedData.span)
        }
        let sealed = [version] + nonce + ciphertext + tag
        let text = [UInt8](capacity: Base64.encodedCount(sealed.count)) { Base64.encode(sealed.span, into: &$0) }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for a token that was not made here, or not for this access key.
    ///
    /// Errors: when libcrypto fails, so that a fault of the server is not taken for one of the caller.
    package static func open(
        _ token: String, accessKeyID: String, secret: SecretBytes
    ) throws(CryptographyError) -> SessionContent? {
        guard let sealed = decode(token), sealed.count >= overhead, sealed[0] == version else { return nil }
        let nonce = Array(sealed[1..<1 + nonceByteCount])
        let ciphertext = Array(sealed[(1 + nonceByteCount)..<(sealed.count - AES256GCM.tagByteCount)])
        let tag = Array(sealed.suffix(AES256GCM.tagByteCount))
        let derived = try derive(from: secret, nonce: nonce)
        let associatedData = associatedData(accessKeyID)
        do {
            let content = try derived.withBytes { derived throws(CryptographyError) in
                try AES256GCM.open(
                    ciphertext: ciphertext.span, tag: tag.span, key: derived.extracting(..<AES256GCM.keyByteCount),
                    iv: derived.extracting(AES256GCM.keyByteCount...), associatedData: associatedData.span)
            }
            return SessionContent(decoding: content.withBytes { bytes in bytes.indices.map { bytes[$0] } })
        } catch  where error.code == .authenticationFailure {
            return nil
        }
    }

    private static func decode(_ token: String) -> [UInt8]? {
        guard token.utf8.count <= maximumCharacterCount else { return nil }
        let text = Array(token.utf8)
        guard let count = Base64.decodedCount(text.span) else { return nil }
        var isBase64 = false
        let bytes = [UInt8](capacity: count) { isBase64 = Base64.decode(text.span, into: &$0) }
        return isBase64 ? bytes : nil
    }

    private static func derive(from secret: SecretBytes, nonce: [UInt8]) throws(CryptographyError) -> SecretBytes {
        try CounterKDF.derive(
            from: secret, label: "strongroom-session-token-v1", context: nonce,
            count: AES256GCM.keyByteCount + ivByteCount)
    }

    private static func associatedData(_ accessKeyID: String) -> [UInt8] { [version] + Array(accessKeyID.utf8) }
}
