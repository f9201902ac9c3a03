import Cryptography
import SecureMemory

// `#expect` cannot take an expression apart that has a `Span` in it: spans do not escape. The tests give arrays.

extension SecretBytes {
    func holds(_ bytes: [UInt8]) -> Bool { withBytes { constantTimeEquals($0, bytes.span) } }
}

extension HMACSHA256 {
    static func authenticate(_ message: [UInt8], key: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try authenticate(message.span, key: key.span)
    }

    static func authenticate(_ message: [UInt8], key: SecretBytes) throws(CryptographyError) -> [UInt8] {
        try authenticate(message.span, key: key)
    }
}

extension SecretBytes {
    convenience init(_ bytes: [UInt8]) { self.init(copying: bytes.span) }
}

extension AES256ECB {
    static func encryptBlock(_ block: [UInt8], key: SecretBytes) throws(CryptographyError) -> SecretBytes {
        try encryptBlock(block.span, key: key)
    }
}

extension CounterKDF {
    static func derive(
        from key: SecretBytes, label: [UInt8], context: [UInt8], count: Int
    ) throws(CryptographyError) -> SecretBytes {
        try derive(from: key, label: label.span, context: context.span, count: count)
    }
}

extension AES256GCM {
    static func seal(
        _ plaintext: [UInt8], key: SecretBytes, iv: [UInt8], associatedData: [UInt8]
    ) throws(CryptographyError) -> (ciphertext: [UInt8], tag: [UInt8]) {
        try seal(plaintext: plaintext.span, key: key, iv: iv.span, associatedData: associatedData.span)
    }

    static func open(
        _ ciphertext: [UInt8], tag: [UInt8], key: SecretBytes, iv: [UInt8], associatedData: [UInt8]
    ) throws(CryptographyError) -> SecretBytes {
        try open(ciphertext: ciphertext.span, tag: tag.span, key: key, iv: iv.span, associatedData: associatedData.span)
    }
}
