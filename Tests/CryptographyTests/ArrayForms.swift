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

extension SecretBytes {
    var copy: [UInt8] { withBytes { span in span.indices.map { span[$0] } } }
}

extension PrivateKey {
    convenience init(_ pkcs8: [UInt8], _ kind: AsymmetricKeyKind) throws(CryptographyError) {
        try self.init(pkcs8: SecretBytes(pkcs8), kind: kind)
    }

    func sign(_ bytes: [UInt8], as form: SignedForm, _ scheme: SignatureScheme) throws(CryptographyError) -> [UInt8] {
        try sign(bytes.span, as: form, scheme)
    }

    func decrypt(_ ciphertext: [UInt8], _ scheme: EncryptionScheme) throws(CryptographyError) -> SecretBytes {
        try decrypt(ciphertext.span, scheme)
    }

    func decapsulate(_ ciphertext: [UInt8]) throws(CryptographyError) -> SecretBytes {
        try decapsulate(ciphertext.span)
    }
}

extension PublicKey {
    func isValid(
        _ signature: [UInt8], of bytes: [UInt8], as form: SignedForm, _ scheme: SignatureScheme
    ) throws(CryptographyError) -> Bool {
        try isValid(signature: signature.span, of: bytes.span, as: form, scheme)
    }

    func encrypt(_ plaintext: [UInt8], _ scheme: EncryptionScheme) throws(CryptographyError) -> [UInt8] {
        try encrypt(plaintext.span, scheme)
    }
}

extension AESKeyWrap {
    static func wrap(_ material: [UInt8], key: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try wrap(SecretBytes(material), key: key.span)
    }

    static func unwrap(_ wrapped: [UInt8], key: [UInt8]) throws(CryptographyError) -> SecretBytes {
        try unwrap(wrapped.span, key: key.span)
    }
}

extension PrivateKey {
    func unwrap(_ wrapped: [UInt8], _ scheme: WrappingScheme) throws(CryptographyError) -> SecretBytes {
        try unwrap(wrapped.span, scheme)
    }
}

extension HashFunction {
    func digest(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] { try digest(message.span) }
}

extension MessageAuthentication {
    func authenticate(_ message: [UInt8], key: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try authenticate(message.span, key: SecretBytes(key))
    }
}

extension AsymmetricKeyKind {
    /// The kinds that this machine offers.
    static let offered = allCases.filter { AlgorithmAvailability.current.refusal(of: .generation, for: $0) == nil }
}
