public import SecureMemory

/// A public key of a known kind, checked when it is made. Work with it may run a millisecond (P-384, P-521 and
/// secp256k1); nothing here waits.
public final class PublicKey: Sendable {
    /// KMS API: DeriveSharedSecret, PublicKey, at most 8192 bytes.
    public static let maximumByteCount = 8_192

    private enum Backing {
        case object(KeyObject)
        /// The encoded key of FIPS 203 or 204.
        case encoded([UInt8])
    }

    public let kind: AsymmetricKeyKind
    /// DER SubjectPublicKeyInfo (RFC 5280 §4.1).
    public let spki: [UInt8]
    private let backing: Backing

    /// Parses and checks a public key.
    ///
    /// Taken is the one canonical encoding: DER, nothing after it, a named curve, the point uncompressed (RFC 5480
    /// §2.2: the form that everybody must support), RSA with NULL parameters.
    ///
    /// Errors: `invalidKey` for anything else, for another kind or size of key, and for what is not a point on the
    /// curve; `unsupportedAlgorithm`.
    public init(spki: [UInt8], kind: AsymmetricKeyKind) throws(CryptographyError) {
        try Self.checkForm(spki, kind)
        let backing = try Self.parse(spki, kind)
        self.kind = kind
        self.spki = spki
        self.backing = backing
    }

    /// What can be told from the bytes: everything but RSA has a constant prefix and a constant length.
    private static func checkForm(_ spki: [UInt8], _ kind: AsymmetricKeyKind) throws(CryptographyError) {
        guard 1...maximumByteCount ~= spki.count else {
            throw CryptographyError(.invalidKey, "a public key of \(spki.count) bytes")
        }
        guard let prefix = kind.publicKeyPrefix, let count = kind.publicKeyByteCount else { return }
        guard spki.count == prefix.count + count, spki.starts(with: prefix) else {
            throw CryptographyError(.invalidKey, "the bytes are not a \(kind.rawValue) key")
        }
        // SEC 1 §2.3.3: 04 says that the point is not compressed.
        guard kind.libraryGroup == nil || spki[prefix.count] == 4 else {
            throw CryptographyError(.invalidKey, "the point is not in uncompressed form")
        }
    }

    private static func parse(_ spki: [UInt8], _ kind: AsymmetricKeyKind) throws(CryptographyError) -> Backing {
        if AlgorithmAvailability.isLeftToSwiftCrypto(kind) {
            guard PostQuantum.offers(kind) else { throw PrivateKey.notOffered(kind) }
            let encoded = Array(spki.suffix(kind.publicKeyByteCount ?? 0))
            guard PostQuantum.isPublicKey(encoded.span, kind) else {
                throw CryptographyError(.invalidKey, "the bytes are not a \(kind.rawValue) key")
            }
            return .encoded(encoded)
        }
        let object = try KeyObject.publicKey(spki.span, kind, prefix: kind.publicKeyPrefix?.count)
        if kind.libraryGroup != nil, !object.isValidPoint() {
            throw CryptographyError(.invalidKey, "the point is not on the curve")
        }
        // Whatever has a constant prefix is canonical already.
        let canonical = try kind.publicKeyPrefix == nil ? object.publicDER() : spki
        guard canonical == spki else {
            throw CryptographyError(.invalidKey, "the encoding is not canonical DER")
        }
        return .object(object)
    }

    /// The public half of a key pair that libcrypto made or parsed: nothing is left to check.
    init(of keyPair: KeyObject, _ kind: AsymmetricKeyKind) throws(CryptographyError) {
        let spki = try keyPair.publicDER()
        try Self.checkForm(spki, kind)
        self.kind = kind
        self.spki = spki
        backing = .object(keyPair)
    }

    /// Whether `signature` was made over `bytes` with the private key. Also false for a signature of another length or
    /// form.
    ///
    /// Errors: `invalidLength` for a digest or representative of another length; `unsupportedAlgorithm` for a scheme
    /// or form that does not go with the key or is not offered.
    public func isValid(
        signature: Span<UInt8>, of bytes: Span<UInt8>, as form: SignedForm, _ scheme: SignatureScheme
    ) throws(CryptographyError) -> Bool {
        try SigningRules.check(bytes, form, scheme, kind)
        // RFC 8017 §8.1.2 and §8.2.2, step 1. libcrypto takes a PSS signature without its leading zero.
        if let count = kind.modulusByteCount, signature.count != count { return false }
        switch backing {
        case .encoded(let encoded):
            guard form == .message else {
                throw CryptographyError(
                    .unsupportedAlgorithm, "swift-crypto does not verify a message representative of \(kind.rawValue)")
            }
            guard let set = PostQuantum.signatureSet(kind) else { throw PrivateKey.notOffered(kind) }
            return PostQuantum.isValid(signature: signature, message: bytes, publicKey: encoded.span, set)
        case .object(let object):
            switch (form, scheme.digest) {
            case (.digest, .some):
                return try object.isValid(signature: signature, digest: bytes, scheme)
            case (.message, .some(let hash)) where scheme != .sm2:
                let digest = try hash.digest(bytes)
                return try object.isValid(signature: signature, digest: digest.span, scheme)
            default:
                return try object.isValid(
                    signature: signature, whole: bytes, scheme, isRepresentative: form == .representative)
            }
        }
    }

    /// Encrypts up to `scheme.maximumPlaintextByteCount(for: kind)` bytes.
    ///
    /// Errors: `invalidLength`; `unsupportedAlgorithm` for a scheme that does not go with the key.
    public func encrypt(
        _ plaintext: Span<UInt8>, _ scheme: EncryptionScheme
    ) throws(CryptographyError) -> [UInt8] {
        guard let object, let limit = scheme.maximumPlaintextByteCount(for: kind) else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not encrypt this way")
        }
        guard plaintext.count <= limit, plaintext.count > 0 || scheme != .sm2 else {
            throw CryptographyError(.invalidLength, "a plaintext of \(plaintext.count) bytes where \(limit) fit")
        }
        return try object.encrypt(plaintext, scheme)
    }

    /// Makes a 32-byte ML-KEM shared secret and its ciphertext (FIPS 203 §7.2).
    ///
    /// Errors: `unsupportedAlgorithm` for other keys.
    public func encapsulate() throws(CryptographyError) -> (secret: SecretBytes, ciphertext: [UInt8]) {
        guard let count = kind.encapsulationByteCount else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not encapsulate")
        }
        switch backing {
        case .object(let object): return try object.encapsulate(count: count)
        case .encoded(let encoded):
            guard let set = PostQuantum.encapsulationSet(kind) else { throw PrivateKey.notOffered(kind) }
            return try PostQuantum.encapsulate(to: encoded.span, set, count: count)
        }
    }

    /// Modulus and public exponent, big-endian, without leading zeros; nil unless RSA.
    public var rsaNumbers: (modulus: [UInt8], exponent: [UInt8])? {
        guard kind.family == .rsa, let object, let modulus = object.number("n"), let exponent = object.number("e")
        else { return nil }
        return (modulus, exponent)
    }

    /// The key where it is libcrypto's.
    private var object: KeyObject? {
        switch backing {
        case .object(let object): object
        case .encoded: nil
        }
    }

    /// The libcrypto key of a curve; nil for other keys.
    var curvePoint: KeyObject? {
        kind.libraryGroup == nil ? nil : object
    }

    /// The key inside of SubjectPublicKeyInfo; empty for RSA.
    var encoded: [UInt8] { Array(spki.suffix(kind.publicKeyByteCount ?? 0)) }
}

/// What goes with what in signatures; the same for signing and verifying.
enum SigningRules {
    static func check(
        _ bytes: Span<UInt8>, _ form: SignedForm, _ scheme: SignatureScheme, _ kind: AsymmetricKeyKind
    ) throws(CryptographyError) {
        guard scheme.family == kind.family else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not sign this way")
        }
        if scheme == .ed25519ph, let reason = AlgorithmAvailability.ed25519phRefusal {
            throw CryptographyError(.unsupportedAlgorithm, reason)
        }
        let expected: Int?
        switch form {
        case .message:
            guard bytes.count <= AES256GCM.maximumByteCount else {
                throw CryptographyError(.invalidLength, "a message of \(bytes.count) bytes")
            }
            expected = nil
        case .digest:
            guard let hash = scheme.digest else {
                throw CryptographyError(.unsupportedAlgorithm, "\(kind.rawValue) signs messages, not digests")
            }
            expected = hash.byteCount
        case .representative:
            guard scheme == .mlDSA else {
                throw CryptographyError(.unsupportedAlgorithm, "only ML-DSA signs a message representative")
            }
            expected = PostQuantum.representativeByteCount
        }
        if let expected, bytes.count != expected {
            throw CryptographyError(.invalidLength, "\(bytes.count) bytes where the scheme takes \(expected)")
        }
    }
}
