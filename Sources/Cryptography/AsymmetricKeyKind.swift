/// Every kind of key pair that this module knows. What the machine really offers, `AlgorithmAvailability` says.
public enum AsymmetricKeyKind: String, Sendable, Hashable, CaseIterable {
    case rsa2048 = "RSA-2048"
    case rsa3072 = "RSA-3072"
    case rsa4096 = "RSA-4096"
    case p256 = "P-256"
    case p384 = "P-384"
    case p521 = "P-521"
    case secp256k1 = "secp256k1"
    case ed25519 = "Ed25519"
    case sm2 = "SM2"
    case mlDSA44 = "ML-DSA-44"
    case mlDSA65 = "ML-DSA-65"
    case mlDSA87 = "ML-DSA-87"
    case mlKEM512 = "ML-KEM-512"
    case mlKEM768 = "ML-KEM-768"
    case mlKEM1024 = "ML-KEM-1024"

    /// What kind of work a key does, coarsely.
    public enum Family: Sendable, Hashable {
        case rsa
        /// ECDSA and ECDH (SEC 1).
        case ellipticCurve
        case ed25519
        case sm2
        case mlDSA
        case mlKEM
    }

    public var family: Family {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096: .rsa
        case .p256, .p384, .p521, .secp256k1: .ellipticCurve
        case .ed25519: .ed25519
        case .sm2: .sm2
        case .mlDSA44, .mlDSA65, .mlDSA87: .mlDSA
        case .mlKEM512, .mlKEM768, .mlKEM1024: .mlKEM
        }
    }

    /// Of the modulus; nil unless RSA.
    public var modulusByteCount: Int? {
        switch self {
        case .rsa2048: 256
        case .rsa3072: 384
        case .rsa4096: 512
        default: nil
        }
    }

    /// Of the ECDH shared secret, the x coordinate (SP 800-56A §5.7.1.2); nil where there is no ECDH.
    public var sharedSecretByteCount: Int? {
        switch self {
        case .p256, .secp256k1, .sm2: 32
        case .p384: 48
        case .p521: 66
        default: nil
        }
    }

    /// Of an ML-KEM ciphertext (FIPS 203, table 3); nil for others.
    public var encapsulationByteCount: Int? {
        switch self {
        case .mlKEM512: 768
        case .mlKEM768: 1_088
        case .mlKEM1024: 1_568
        default: nil
        }
    }

    /// Of an ML-DSA signature (FIPS 204, table 2) or an Ed25519 one (RFC 8032 §5.1.6); nil where the length varies or
    /// follows from the modulus.
    var signatureByteCount: Int? {
        switch self {
        case .ed25519: 64
        case .mlDSA44: 2_420
        case .mlDSA65: 3_309
        case .mlDSA87: 4_627
        default: nil
        }
    }

    /// Of the seed that private keys are kept as (ξ of FIPS 204, d ‖ z of FIPS 203); nil for others.
    var seedByteCount: Int? {
        switch family {
        case .mlDSA: 32
        case .mlKEM: 64
        default: nil
        }
    }

    /// Of the key inside SubjectPublicKeyInfo: an uncompressed point, or the encoded key of the standard. Nil for RSA.
    var publicKeyByteCount: Int? {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096: nil
        case .p256, .secp256k1, .sm2: 65
        case .p384: 97
        case .p521: 133
        case .ed25519: 32
        case .mlDSA44: 1_312
        case .mlDSA65: 1_952
        case .mlDSA87: 2_592
        case .mlKEM512: 800
        case .mlKEM768: 1_184
        case .mlKEM1024: 1_568
        }
    }

    /// The DER AlgorithmIdentifier of SubjectPublicKeyInfo and PrivateKeyInfo.
    var algorithmIdentifier: [UInt8] {
        // RFC 5480 §2.1.1: id-ecPublicKey and the OID of the curve.
        let ecPublicKey: [UInt8] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]
        // NIST CSOR: sigAlgs (3) for ML-DSA (RFC 9881 §2), kems (4) for ML-KEM (RFC 9935 §3); no parameters.
        let nistAlgorithms: [UInt8] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04]
        let contents: [UInt8] =
            switch self {
            case .rsa2048, .rsa3072, .rsa4096:
                // RFC 3279 §2.3.1: rsaEncryption and NULL.
                [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00]
            case .p256: ecPublicKey + [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]
            case .p384: ecPublicKey + [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]
            case .p521: ecPublicKey + [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]
            // SEC 2: 1.3.132.0.10.
            case .secp256k1: ecPublicKey + [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a]
            // GB/T 33560: 1.2.156.10197.1.301.
            case .sm2: ecPublicKey + [0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d]
            // RFC 8410 §3: 1.3.101.112, no parameters.
            case .ed25519: [0x06, 0x03, 0x2b, 0x65, 0x70]
            case .mlDSA44: nistAlgorithms + [0x03, 0x11]
            case .mlDSA65: nistAlgorithms + [0x03, 0x12]
            case .mlDSA87: nistAlgorithms + [0x03, 0x13]
            case .mlKEM512: nistAlgorithms + [0x04, 0x01]
            case .mlKEM768: nistAlgorithms + [0x04, 0x02]
            case .mlKEM1024: nistAlgorithms + [0x04, 0x03]
            }
        return DER.header(DER.sequence, contents.count) + contents
    }

    /// All of SubjectPublicKeyInfo before the key. Constant, because the key has a fixed length; nil for RSA.
    var publicKeyPrefix: [UInt8]? {
        guard let count = publicKeyByteCount else { return nil }
        // The first byte of a bit string says how many bits of the last one are unused.
        let bits = DER.header(DER.bitString, count + 1) + [0]
        let identifier = algorithmIdentifier
        return DER.header(DER.sequence, identifier.count + bits.count + count) + identifier + bits
    }

    /// All of PrivateKeyInfo before the seed, for keys that are kept as one: version 0, algorithm, and the
    /// `seed [0]` choice (RFC 9881 §6, RFC 9935 §6). Nil for others.
    var seedPrefix: [UInt8]? {
        guard let count = seedByteCount else { return nil }
        let choice = DER.header(0x80, count)
        let key = DER.header(DER.octetString, choice.count + count) + choice
        let head = [0x02, 0x01, 0x00] + algorithmIdentifier + key
        return DER.header(DER.sequence, head.count + count) + head
    }

    /// The name of libcrypto's key type.
    var libraryType: String {
        switch family {
        case .rsa: "RSA"
        case .ellipticCurve: "EC"
        case .sm2: "SM2"
        case .ed25519: "ED25519"
        case .mlDSA, .mlKEM: rawValue
        }
    }

    /// libcrypto's name of the curve; nil where there is none to choose.
    var libraryGroup: String? {
        switch self {
        case .p256: "prime256v1"
        case .p384: "secp384r1"
        case .p521: "secp521r1"
        case .secp256k1: "secp256k1"
        case .sm2: "SM2"
        default: nil
        }
    }
}
