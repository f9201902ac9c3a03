public import Cryptography
public import KMSModel

// What the names of the API mean where key material is wrapped for import.

extension AlgorithmSpec {
    /// Nil for RSAES_PKCS1_V1_5, which AWS has refused since October 2023.
    public var scheme: WrappingScheme? {
        switch self {
        case .rsaesOaepSha1: .rsaOAEP(.sha1)
        case .rsaesOaepSha256: .rsaOAEP(.sha256)
        case .rsaAesKeyWrapSha1: .rsaAESKeyWrap(.sha1)
        case .rsaAesKeyWrapSha256: .rsaAESKeyWrap(.sha256)
        case .sm2pke: .sm2
        case .rsaesPkcs1V15: nil
        }
    }

    /// Nil if keys of this spec unwrap this way, else the reason why not: the same for every key store.
    public func refusal(with wrappingKeySpec: WrappingKeySpec) -> String? {
        guard let scheme else { return "\(rawValue) is not secure and not offered any more" }
        guard (scheme == .sm2) == (wrappingKeySpec == .sm2) else {
            return "\(wrappingKeySpec.rawValue) keys do not unwrap with \(rawValue)"
        }
        return nil
    }
}

extension WrappingKeySpec {
    public var keyPairKind: AsymmetricKeyKind {
        switch self {
        case .rsa2048: .rsa2048
        case .rsa3072: .rsa3072
        case .rsa4096: .rsa4096
        case .sm2: .sm2
        }
    }
}

extension KeySpec {
    /// Nil if the API takes material of this spec from outside, else the reason why not: the same for every key store.
    public var importRefusal: String? {
        switch self {
        case .symmetricDefault, .hmac224, .hmac256, .hmac384, .hmac512, .rsa2048, .rsa3072, .rsa4096, .eccNistP256,
            .eccNistP384, .eccNistP521, .eccSecgP256k1:
            nil
        case .eccNistEdwards25519, .sm2, .mlDsa44, .mlDsa65, .mlDsa87, .mlKem512, .mlKem768, .mlKem1024:
            "\(rawValue) key material cannot be imported"
        }
    }
}
