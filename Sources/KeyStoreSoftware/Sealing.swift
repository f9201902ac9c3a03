internal import Cryptography
internal import SecureMemory

/// AES-256-GCM with a key and an IV per message, both derived from a 128-bit random nonce.
///
/// Random 96-bit IVs under one key are good for 2^32 messages (SP 800-38D §8.3). Here 2^64 messages under one key
/// meet the same nonce with a probability of one half, and nothing has to be counted.
enum Sealing {
    static let nonceByteCount = 16
    private static let ivByteCount = 12
    /// First byte of every sealed secret.
    private static let version: UInt8 = 1

    struct Message {
        var nonce: [UInt8]
        var ciphertext: [UInt8]
        var tag: [UInt8]
    }

    static func encrypt(
        _ plaintext: SecretBytes, under key: SecretBytes, label: [UInt8], associatedData: [UInt8]
    ) throws(CryptographyError) -> Message {
        let nonce = try SystemRandom.bytes(nonceByteCount)
        let derived = try derive(from: key, label: label, nonce: nonce)
        let (ciphertext, tag) = try derived.withBytes { derived throws(CryptographyError) in
            try plaintext.withBytes { plaintext throws(CryptographyError) in
                try AES256GCM.seal(
                    plaintext: plaintext, key: derived.extracting(..<AES256GCM.keyByteCount),
                    iv: derived.extracting(AES256GCM.keyByteCount...), associatedData: associatedData.span)
            }
        }
        return Message(nonce: nonce, ciphertext: ciphertext, tag: tag)
    }

    /// Errors: `authenticationFailure` when anything does not verify, wrong lengths included.
    static func decrypt(
        _ message: Message, under key: SecretBytes, label: [UInt8], associatedData: [UInt8]
    ) throws(CryptographyError) -> SecretBytes {
        guard message.nonce.count == nonceByteCount, message.tag.count == AES256GCM.tagByteCount else {
            throw CryptographyError(.authenticationFailure, "the message does not verify")
        }
        let derived = try derive(from: key, label: label, nonce: message.nonce)
        return try derived.withBytes { derived throws(CryptographyError) in
            try AES256GCM.open(
                ciphertext: message.ciphertext.span, tag: message.tag.span,
                key: derived.extracting(..<AES256GCM.keyByteCount),
                iv: derived.extracting(AES256GCM.keyByteCount...), associatedData: associatedData.span)
        }
    }

    /// `version ‖ nonce ‖ ciphertext ‖ tag`; the version is authenticated too.
    static func seal(
        _ secret: SecretBytes, under key: SecretBytes, label: [UInt8], associatedData: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        let message = try encrypt(secret, under: key, label: label, associatedData: [version] + associatedData)
        return [version] + message.nonce + message.ciphertext + message.tag
    }

    static func open(
        _ sealed: [UInt8], under key: SecretBytes, label: [UInt8], associatedData: [UInt8]
    ) throws(CryptographyError) -> SecretBytes {
        let tagStart = sealed.count - AES256GCM.tagByteCount
        guard sealed.first == version, tagStart >= 1 + nonceByteCount else {
            throw CryptographyError(.authenticationFailure, "the message does not verify")
        }
        let message = Message(
            nonce: Array(sealed[1..<1 + nonceByteCount]), ciphertext: Array(sealed[(1 + nonceByteCount)..<tagStart]),
            tag: Array(sealed[tagStart...]))
        return try decrypt(message, under: key, label: label, associatedData: [version] + associatedData)
    }

    /// AES key and IV in one piece.
    private static func derive(
        from key: SecretBytes, label: [UInt8], nonce: [UInt8]
    ) throws(CryptographyError) -> SecretBytes {
        try CounterKDF.derive(
            from: key, label: label.span, context: nonce.span, count: AES256GCM.keyByteCount + ivByteCount)
    }
}
