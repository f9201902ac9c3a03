public import Cryptography
public import KMSModel

// What the names of the API mean: which algorithms go with a key spec, and what each is in the module Cryptography.

/// What the material of a key spec is.
public enum MaterialForm: Hashable, Sendable {
    /// 32 bytes for AES-256.
    case symmetric
    /// As many bytes as the code (RFC 2104 §3: no less than the hash).
    case mac(MessageAuthentication)
    /// PKCS#8 DER.
    case keyPair(AsymmetricKeyKind)
}

extension KeySpec {
    public var materialForm: MaterialForm {
        switch self {
        case .symmetricDefault: .symmetric
        case .hmac224: .mac(.hmacSHA224)
        case .hmac256: .mac(.hmacSHA256)
        case .hmac384: .mac(.hmacSHA384)
        case .hmac512: .mac(.hmacSHA512)
        case .rsa2048: .keyPair(.rsa2048)
        case .rsa3072: .keyPair(.rsa3072)
        case .rsa4096: .keyPair(.rsa4096)
        case .eccNistP256: .keyPair(.p256)
        case .eccNistP384: .keyPair(.p384)
        case .eccNistP521: .keyPair(.p521)
        case .eccSecgP256k1: .keyPair(.secp256k1)
        case .eccNistEdwards25519: .keyPair(.ed25519)
        case .sm2: .keyPair(.sm2)
        case .mlDsa44: .keyPair(.mlDSA44)
        case .mlDsa65: .keyPair(.mlDSA65)
        case .mlDsa87: .keyPair(.mlDSA87)
        case .mlKem512: .keyPair(.mlKEM512)
        case .mlKem768: .keyPair(.mlKEM768)
        case .mlKem1024: .keyPair(.mlKEM1024)
        }
    }

    /// The kind of key pair; nil for symmetric and HMAC keys.
    public var keyPairKind: AsymmetricKeyKind? {
        if case .keyPair(let kind) = materialForm { kind } else { nil }
    }

    /// What a key of this spec and usage can do, in the order in which AWS lists it (KMS Developer Guide, "Key spec
    /// reference"). Empty for a usage that the spec does not have.
    public func algorithms(for usage: KeyUsageType) -> [KeyAlgorithm] {
        switch (self, usage) {
        case (.symmetricDefault, .encryptDecrypt): [.encryption(.symmetricDefault)]
        case (.hmac224, .generateVerifyMac): [.mac(.hmacSha224)]
        case (.hmac256, .generateVerifyMac): [.mac(.hmacSha256)]
        case (.hmac384, .generateVerifyMac): [.mac(.hmacSha384)]
        case (.hmac512, .generateVerifyMac): [.mac(.hmacSha512)]
        case (.rsa2048, .encryptDecrypt), (.rsa3072, .encryptDecrypt), (.rsa4096, .encryptDecrypt):
            [.encryption(.rsaesOaepSha1), .encryption(.rsaesOaepSha256)]
        case (.sm2, .encryptDecrypt): [.encryption(.sm2pke)]
        case (_, .signVerify): signingAlgorithms.map { .signing($0) }
        case (.eccNistP256, .keyAgreement), (.eccNistP384, .keyAgreement), (.eccNistP521, .keyAgreement),
            (.sm2, .keyAgreement):
            [.keyAgreement(.ecdh)]
        case (.mlKem512, .encapsulateDecapsulate), (.mlKem768, .encapsulateDecapsulate),
            (.mlKem1024, .encapsulateDecapsulate):
            [.encapsulation]
        default: []
        }
    }

    /// All that keys of this spec do, whatever their usage.
    public var algorithms: [KeyAlgorithm] { KeyUsageType.allCases.flatMap { algorithms(for: $0) } }

    private var signingAlgorithms: [SigningAlgorithmSpec] {
        switch self {
        case .rsa2048, .rsa3072, .rsa4096:
            [
                .rsassaPkcs1V15Sha256, .rsassaPkcs1V15Sha384, .rsassaPkcs1V15Sha512, .rsassaPssSha256,
                .rsassaPssSha384, .rsassaPssSha512,
            ]
        case .eccNistP256, .eccSecgP256k1: [.ecdsaSha256]
        case .eccNistP384: [.ecdsaSha384]
        case .eccNistP521: [.ecdsaSha512]
        case .eccNistEdwards25519: [.ed25519Sha512, .ed25519PhSha512]
        case .sm2: [.sm2dsa]
        case .mlDsa44, .mlDsa65, .mlDsa87: [.mlDsaShake256]
        case .symmetricDefault, .hmac224, .hmac256, .hmac384, .hmac512, .mlKem512, .mlKem768, .mlKem1024: []
        }
    }
}

extension SigningAlgorithmSpec {
    public var scheme: SignatureScheme {
        switch self {
        case .rsassaPssSha256: .rsaPSS(.sha256)
        case .rsassaPssSha384: .rsaPSS(.sha384)
        case .rsassaPssSha512: .rsaPSS(.sha512)
        case .rsassaPkcs1V15Sha256: .rsaPKCS1(.sha256)
        case .rsassaPkcs1V15Sha384: .rsaPKCS1(.sha384)
        case .rsassaPkcs1V15Sha512: .rsaPKCS1(.sha512)
        case .ecdsaSha256: .ecdsa(.sha256)
        case .ecdsaSha384: .ecdsa(.sha384)
        case .ecdsaSha512: .ecdsa(.sha512)
        case .ed25519Sha512: .ed25519
        case .ed25519PhSha512: .ed25519ph
        case .sm2dsa: .sm2
        case .mlDsaShake256: .mlDSA
        }
    }
}

extension EncryptionAlgorithmSpec {
    /// Nil for SYMMETRIC_DEFAULT.
    public var scheme: EncryptionScheme? {
        switch self {
        case .symmetricDefault: nil
        case .rsaesOaepSha1: .rsaOAEP(.sha1)
        case .rsaesOaepSha256: .rsaOAEP(.sha256)
        case .sm2pke: .sm2
        }
    }
}
