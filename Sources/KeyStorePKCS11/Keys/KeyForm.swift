internal import KMSModel
internal import KeyStores
package import PKCS11

/// What a key spec is on a token. Every other file asks here.
package enum KeyForm: Hashable, Sendable {
    case aes256
    case hmac(MechanismHash)
    case rsa(modulusBits: Int)
    case ec(Curve)
    case ed25519

    /// Nil for what Cryptoki has no mechanism for, or none that was ever seen to work.
    init?(_ keySpec: KeySpec) {
        switch keySpec {
        case .symmetricDefault: self = .aes256
        case .hmac224: self = .hmac(.sha224)
        case .hmac256: self = .hmac(.sha256)
        case .hmac384: self = .hmac(.sha384)
        case .hmac512: self = .hmac(.sha512)
        case .rsa2048: self = .rsa(modulusBits: 2048)
        case .rsa3072: self = .rsa(modulusBits: 3072)
        case .rsa4096: self = .rsa(modulusBits: 4096)
        case .eccNistP256: self = .ec(.p256)
        case .eccNistP384: self = .ec(.p384)
        case .eccNistP521: self = .ec(.p521)
        case .eccSecgP256k1: self = .ec(.secp256k1)
        case .eccNistEdwards25519: self = .ed25519
        case .sm2, .mlDsa44, .mlDsa65, .mlDsa87, .mlKem512, .mlKem768, .mlKem1024: return nil
        }
    }

    /// Why there is no form for a key spec.
    static func absence(of keySpec: KeySpec) -> String {
        switch keySpec {
        case .sm2: "the token store does not know SM2"
        case .mlDsa44, .mlDsa65, .mlDsa87: "the token does not have ML-DSA (Cryptoki before 3.2)"
        case .mlKem512, .mlKem768, .mlKem1024: "the token does not have ML-KEM (Cryptoki before 3.2)"
        default: "the token store does not know \(keySpec.rawValue)"
        }
    }

    var isKeyPair: Bool {
        switch self {
        case .aes256, .hmac: false
        case .rsa, .ec, .ed25519: true
        }
    }

    /// CKA_KEY_TYPE, as the standard has it. The probe may find that a token wants a typed HMAC key.
    var keyType: KeyType {
        switch self {
        case .aes256: .aes
        case .hmac: .genericSecret
        case .rsa: .rsa
        case .ec: .ec
        case .ed25519: .ecEdwards
        }
    }

    /// The key type of an HMAC key on tokens that have one for each hash (PKCS#11 v3.1 §6.23).
    var typedKeyType: KeyType? {
        guard case .hmac(let hash) = self else { return nil }
        return switch hash {
        case .sha1: nil
        case .sha224: .sha224HMAC
        case .sha256: .sha256HMAC
        case .sha384: .sha384HMAC
        case .sha512: .sha512HMAC
        }
    }

    var generation: MechanismType {
        switch self {
        case .aes256: .aesKeyGeneration
        case .hmac: .genericSecretKeyGeneration
        case .rsa: .rsaKeyPairGeneration
        case .ec: .ecKeyPairGeneration
        case .ed25519: .edwardsKeyPairGeneration
        }
    }

    /// CKA_VALUE_LEN of a secret key: an HMAC key is as long as its hash, as AWS makes them.
    var secretByteCount: Int? {
        switch self {
        case .aes256: 32
        case .hmac(let hash): hash.byteCount
        case .rsa, .ec, .ed25519: nil
        }
    }
}

/// A curve of short Weierstrass form.
package enum Curve: Hashable, Sendable, CaseIterable {
    case p256, p384, p521, secp256k1

    /// The length of a coordinate, and of r and s, in bytes.
    var fieldByteCount: Int {
        switch self {
        case .p256, .secp256k1: 32
        case .p384: 48
        case .p521: 66
        }
    }

    /// The DER object identifier: CKA_EC_PARAMS, and the parameters in a SubjectPublicKeyInfo (RFC 5480 §2.1.1.1,
    /// SEC 2 §A.2).
    var parameters: [UInt8] {
        switch self {
        case .p256: [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
        case .p384: [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]
        case .p521: [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23]
        case .secp256k1: [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x0A]
        }
    }
}
