public import SecureMemory

/// A private key, with its public key. Outside of this class it is PKCS#8 DER in `SecretBytes`, nothing else.
///
/// Functions are synchronous and may run long: RSA milliseconds, RSA generation seconds. The caller runs them where
/// that does not hurt (`WorkPool`).
public final class PrivateKey: Sendable {
    /// An RSA-4096 key has about 2400 bytes; room for attributes and for odd, longer numbers.
    public static let maximumByteCount = 8_192

    private enum Backing {
        case object(KeyObject)
        case expanded(ExpandedKey)
    }

    public let publicKey: PublicKey
    private let backing: Backing
    /// For kinds that are kept as a seed.
    private let seed: SecretBytes?

    public var kind: AsymmetricKeyKind { publicKey.kind }

    /// Makes a new key.
    ///
    /// Errors: `unsupportedAlgorithm`.
    public static func generate(_ kind: AsymmetricKeyKind) throws(CryptographyError) -> PrivateKey {
        if let count = kind.seedByteCount { return PrivateKey(try parts(seed: SystemRandom.secret(count), kind)) }
        return PrivateKey(try parts(KeyObject.generate(kind), kind))
    }

    /// Parses DER PrivateKeyInfo (RFC 5208, RFC 5958), not encrypted, nothing after it. ML-DSA and ML-KEM keys are
    /// taken in the `seed` form (RFC 9881 §6, RFC 9935 §6) alone.
    ///
    /// That the private and the public part belong together is not checked here: material of others needs
    /// `isConsistent`.
    ///
    /// Errors: `invalidKey` for anything that is not a key of this kind and size; `unsupportedAlgorithm`.
    public init(pkcs8: SecretBytes, kind: AsymmetricKeyKind) throws(CryptographyError) {
        let parts = try Self.parts(pkcs8: pkcs8, kind)
        backing = parts.backing
        publicKey = parts.publicKey
        seed = parts.seed
    }

    /// Parses key material of others: PKCS#8 as above, but in its plain form alone (version 0, the one
    /// AlgorithmIdentifier of the kind, so that a curve has its name and an RSA key two primes), with parts that belong
    /// together. What `pkcs8` gives afterwards is our own encoding of it.
    ///
    /// For RSA it tests primes: up to a second.
    ///
    /// Errors: `invalidKey` with a reason for whoever made the material; `unsupportedAlgorithm`.
    public convenience init(imported pkcs8: SecretBytes, kind: AsymmetricKeyKind) throws(CryptographyError) {
        let head = [0x02, 0x01, 0x00] + kind.algorithmIdentifier
        guard pkcs8.withBytes({ DER.isOneSequence($0, beginningWith: head) }) else {
            throw CryptographyError(
                .invalidKey,
                "the material is not the DER of an unencrypted PKCS#8 PrivateKeyInfo of \(kind.rawValue)")
        }
        do throws(CryptographyError) {
            try self.init(pkcs8: pkcs8, kind: kind)
        } catch  where error.code == .invalidKey {
            throw CryptographyError(.invalidKey, "the material is not the private key of a \(kind.rawValue) key pair")
        }
        guard object?.isOrdinary(kind) != false else {
            throw CryptographyError(
                .invalidKey,
                kind.family == .rsa
                    ? "the material is not an RSA key of two primes as long as each other"
                    : "the material gives the curve by its parameters, not by its name")
        }
        guard isConsistent() else {
            throw CryptographyError(.invalidKey, "the parts of the private key do not belong together")
        }
    }

    private struct Parts {
        let backing: Backing
        let publicKey: PublicKey
        let seed: SecretBytes?
    }

    private init(_ parts: Parts) {
        backing = parts.backing
        publicKey = parts.publicKey
        seed = parts.seed
    }

    private static func parts(
        pkcs8: SecretBytes, _ kind: AsymmetricKeyKind
    ) throws(CryptographyError) -> Parts {
        guard 1...maximumByteCount ~= pkcs8.count else {
            throw CryptographyError(.invalidKey, "a private key of \(pkcs8.count) bytes")
        }
        guard let prefix = kind.seedPrefix, let count = kind.seedByteCount else {
            let object = try pkcs8.withBytes { bytes throws(CryptographyError) in
                try KeyObject.privateKey(bytes, kind)
            }
            return try parts(object, kind)
        }
        let seed: SecretBytes? = pkcs8.withBytes { bytes in
            guard bytes.count == prefix.count + count,
                constantTimeEquals(bytes.extracting(..<prefix.count), prefix.span)
            else { return nil }
            return SecretBytes(copying: bytes.extracting(prefix.count...))
        }
        guard let seed else {
            throw CryptographyError(.invalidKey, "the bytes are not the seed of a \(kind.rawValue) key")
        }
        return try parts(seed: seed, kind)
    }

    private static func parts(_ object: KeyObject, _ kind: AsymmetricKeyKind) throws(CryptographyError) -> Parts {
        let publicKey = try PublicKey(of: object, kind)
        return Parts(backing: .object(object), publicKey: publicKey, seed: nil)
    }

    private static func parts(seed: SecretBytes, _ kind: AsymmetricKeyKind) throws(CryptographyError) -> Parts {
        guard AlgorithmAvailability.isLeftToSwiftCrypto(kind) else {
            let der = encoded(seed, after: kind.seedPrefix ?? [])
            let object = try der.withBytes { der throws(CryptographyError) in try KeyObject.privateKey(der, kind) }
            let publicKey = try PublicKey(of: object, kind)
            return Parts(backing: .object(object), publicKey: publicKey, seed: seed)
        }
        let key = try seed.withBytes { seed throws(CryptographyError) in try ExpandedKey(seed: seed, kind) }
        let encodedKey = try key.publicBytes()
        let publicKey = try PublicKey(spki: (kind.publicKeyPrefix ?? []) + encodedKey, kind: kind)
        return Parts(backing: .expanded(key), publicKey: publicKey, seed: seed)
    }

    /// DER PrivateKeyInfo (RFC 5208).
    public func pkcs8() throws(CryptographyError) -> SecretBytes {
        if let seed, let prefix = kind.seedPrefix { return Self.encoded(seed, after: prefix) }
        guard let object else { throw Self.notOffered(kind) }
        return try object.privateDER()
    }

    /// Whether the parts of the key are sound and belong together. For RSA it tests primes: milliseconds.
    public func isConsistent() -> Bool {
        // A seed has no parts that could disagree.
        guard seed == nil, let object else { return true }
        return object.isConsistent()
    }

    /// Signs `bytes`.
    ///
    /// Errors: `invalidLength` for a digest or representative of another length; `unsupportedAlgorithm` for a scheme
    /// or form that does not go with the key or is not offered.
    public func sign(
        _ bytes: Span<UInt8>, as form: SignedForm, _ scheme: SignatureScheme
    ) throws(CryptographyError) -> [UInt8] {
        try SigningRules.check(bytes, form, scheme, kind)
        switch backing {
        case .expanded(let key): return try key.sign(bytes, isRepresentative: form == .representative)
        case .object(let object):
            switch (form, scheme.digest) {
            case (.digest, .some): return try object.sign(digest: bytes, scheme)
            case (.message, .some(let hash)) where scheme != .sm2:
                let digest = try hash.digest(bytes)
                return try object.sign(digest: digest.span, scheme)
            default: return try object.sign(whole: bytes, scheme, isRepresentative: form == .representative)
            }
        }
    }

    /// Decrypts what `PublicKey.encrypt` made.
    ///
    /// Errors: `authenticationFailure` for everything that does not decrypt, other lengths included, without a
    /// difference; `unsupportedAlgorithm` for a scheme that does not go with the key.
    public func decrypt(
        _ ciphertext: Span<UInt8>, _ scheme: EncryptionScheme
    ) throws(CryptographyError) -> SecretBytes {
        guard let limit = scheme.maximumPlaintextByteCount(for: kind) else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not decrypt this way")
        }
        return try decrypt(ciphertext, scheme, longestPlaintext: limit)
    }

    /// The same with a limit of the caller's own, for a scheme that sets none.
    func decrypt(
        _ ciphertext: Span<UInt8>, _ scheme: EncryptionScheme, longestPlaintext: Int
    ) throws(CryptographyError) -> SecretBytes {
        guard let object, scheme.maximumPlaintextByteCount(for: kind) != nil else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not decrypt this way")
        }
        // RFC 8017 §7.1.2 step 1; an SM2 ciphertext has about 110 bytes more than its plaintext.
        let lengths = kind.modulusByteCount.map { $0...$0 } ?? 1...longestPlaintext + 256
        guard lengths ~= ciphertext.count else { throw .notAuthentic() }
        guard scheme != .sm2 || DER.isOneSequence(ciphertext) else { throw .notAuthentic() }
        return try object.decrypt(ciphertext, scheme)
    }

    /// The raw ECDH shared secret with the key of a peer: the x coordinate, as long as the field (SP 800-56A §5.7.1.2).
    ///
    /// Errors: `invalidKey` for a peer of another kind; `unsupportedAlgorithm` for keys that do not agree.
    public func agree(with peer: PublicKey) throws(CryptographyError) -> SecretBytes {
        guard let count = kind.sharedSecretByteCount, let object else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not agree on secrets")
        }
        guard peer.kind == kind, let point = peer.curvePoint else {
            throw CryptographyError(.invalidKey, "the peer has a \(peer.kind.rawValue) key, not \(kind.rawValue)")
        }
        guard kind == .sm2 else { return try object.agree(with: point, count: count) }
        let encoded = peer.encoded
        return try object.agreeOnSM2Curve(withPoint: encoded.span, count: count)
    }

    /// The 32-byte shared secret of an ML-KEM ciphertext. One that was not made for this key gives another secret, not
    /// an error (FIPS 203 §6.3, implicit rejection).
    ///
    /// Errors: `invalidLength` for a ciphertext of another length; `unsupportedAlgorithm` for other keys.
    public func decapsulate(_ ciphertext: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
        guard let count = kind.encapsulationByteCount else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not decapsulate")
        }
        guard ciphertext.count == count else {
            throw CryptographyError(.invalidLength, "a ciphertext of \(ciphertext.count) bytes instead of \(count)")
        }
        switch backing {
        case .object(let object): return try object.decapsulate(ciphertext)
        case .expanded(let key): return try key.decapsulate(ciphertext)
        }
    }

    /// The key where it is libcrypto's.
    var object: KeyObject? {
        switch backing {
        case .object(let object): object
        case .expanded: nil
        }
    }

    static func notOffered(_ kind: AsymmetricKeyKind) -> CryptographyError {
        CryptographyError(
            .unsupportedAlgorithm, "neither the installed libcrypto nor swift-crypto offers \(kind.rawValue)")
    }

    private static func encoded(_ seed: SecretBytes, after prefix: [UInt8]) -> SecretBytes {
        SecretBytes(capacity: prefix.count + seed.count) { output in
            for byte in prefix { output.append(byte) }
            seed.withBytes { seed in
                for index in seed.indices { output.append(seed[index]) }
            }
        }
    }
}
