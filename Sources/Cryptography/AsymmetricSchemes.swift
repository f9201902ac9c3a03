/// How a message is signed.
public enum SignatureScheme: Sendable, Hashable {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2).
    case rsaPKCS1(HashFunction)
    /// RSASSA-PSS (RFC 8017 §8.1), MGF1 with the same hash, salt as long as the hash.
    case rsaPSS(HashFunction)
    /// ECDSA (FIPS 186-5 §6); signatures are DER `SEQUENCE { r, s }` (RFC 3279 §2.2.3).
    case ecdsa(HashFunction)
    /// Pure Ed25519 (RFC 8032 §5.1).
    case ed25519
    /// Ed25519ph (RFC 8032 §5.1) with an empty context: the message is hashed with SHA-512 inside the scheme.
    case ed25519ph
    /// SM2 signature with SM3 (GB/T 32918.2) and the default identifier `1234567812345678`; DER.
    case sm2
    /// ML-DSA (FIPS 204 §5.2), pure, with an empty context.
    case mlDSA

    /// The hash that a digest is made with; nil where the scheme takes no digest.
    public var digest: HashFunction? {
        switch self {
        case .rsaPKCS1(let hash), .rsaPSS(let hash), .ecdsa(let hash): hash
        case .sm2: .sm3
        case .ed25519, .ed25519ph, .mlDSA: nil
        }
    }

    var family: AsymmetricKeyKind.Family {
        switch self {
        case .rsaPKCS1, .rsaPSS: .rsa
        case .ecdsa: .ellipticCurve
        case .ed25519, .ed25519ph: .ed25519
        case .sm2: .sm2
        case .mlDSA: .mlDSA
        }
    }
}

/// What the bytes given to a signature scheme are.
public enum SignedForm: Sendable, Hashable {
    case message
    /// The digest of the message, as long as the scheme's hash. For SM2 it is the digest over Z and the message.
    case digest
    /// The 64-byte message representative µ of ML-DSA (FIPS 204 §6.2).
    case representative
}

/// How a short secret is encrypted to a public key.
public enum EncryptionScheme: Sendable, Hashable {
    /// RSAES-OAEP (RFC 8017 §7.1), MGF1 with the same hash, empty label.
    case rsaOAEP(HashFunction)
    /// SM2 public-key encryption with SM3 (GB/T 32918.4); ciphertexts are DER (GB/T 35276 §7.2).
    case sm2

    /// The longest plaintext for a key, in bytes; nil when the scheme does not go with the key.
    public func maximumPlaintextByteCount(for kind: AsymmetricKeyKind) -> Int? {
        switch self {
        case .rsaOAEP(let hash):
            // RFC 8017 §7.1.1: mLen <= k - 2hLen - 2.
            kind.modulusByteCount.map { $0 - 2 * hash.byteCount - 2 }
        case .sm2:
            // KMS developer guide: SM2PKE, 1024 bytes. The scheme itself sets no limit.
            kind == .sm2 ? 1_024 : nil
        }
    }
}
