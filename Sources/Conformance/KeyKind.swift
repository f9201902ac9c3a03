public import KMSModel
public import KeyStores

/// A key spec and what its keys are used for: one row of the API's matrix of key specs, usages and algorithms (KMS
/// developer guide, "Key spec reference"). Written down here once more, apart from every store, to be held against
/// them.
public struct KeyKind: Hashable, Sendable, CustomStringConvertible {
    public let keySpec: KeySpec
    public let usage: KeyUsageType

    public init(_ keySpec: KeySpec, _ usage: KeyUsageType) {
        self.keySpec = keySpec
        self.usage = usage
    }

    public var description: String { "\(keySpec.rawValue) for \(usage.rawValue)" }

    /// Every key spec with every usage, in the order of the service model.
    private static let pairs = KeySpec.allCases.flatMap { keySpec in
        KeyUsageType.allCases.map { KeyKind(keySpec, $0) }
    }

    /// What the API knows.
    public static let allowed = pairs.filter { !$0.algorithms.isEmpty }
    /// What it does not know.
    public static let forbidden = pairs.filter(\.algorithms.isEmpty)

    /// Every algorithm of the API.
    public static let allAlgorithms: [KeyAlgorithm] =
        EncryptionAlgorithmSpec.allCases.map { .encryption($0) } + SigningAlgorithmSpec.allCases.map { .signing($0) }
        + MacAlgorithmSpec.allCases.map { .mac($0) } + KeyAgreementAlgorithmSpec.allCases.map { .keyAgreement($0) }
        + [.encapsulation]

    /// What keys of this kind do; empty for a pair that the API forbids.
    public var algorithms: [KeyAlgorithm] {
        switch (keySpec, usage) {
        case (.symmetricDefault, .encryptDecrypt):
            [.encryption(.symmetricDefault)]
        case (.hmac224, .generateVerifyMac): [.mac(.hmacSha224)]
        case (.hmac256, .generateVerifyMac): [.mac(.hmacSha256)]
        case (.hmac384, .generateVerifyMac): [.mac(.hmacSha384)]
        case (.hmac512, .generateVerifyMac): [.mac(.hmacSha512)]
        case (.rsa2048, .encryptDecrypt), (.rsa3072, .encryptDecrypt), (.rsa4096, .encryptDecrypt):
            [.encryption(.rsaesOaepSha1), .encryption(.rsaesOaepSha256)]
        case (.rsa2048, .signVerify), (.rsa3072, .signVerify), (.rsa4096, .signVerify):
            [
                .signing(.rsassaPkcs1V15Sha256), .signing(.rsassaPkcs1V15Sha384), .signing(.rsassaPkcs1V15Sha512),
                .signing(.rsassaPssSha256), .signing(.rsassaPssSha384), .signing(.rsassaPssSha512),
            ]
        case (.eccNistP256, .signVerify), (.eccSecgP256k1, .signVerify): [.signing(.ecdsaSha256)]
        case (.eccNistP384, .signVerify): [.signing(.ecdsaSha384)]
        case (.eccNistP521, .signVerify): [.signing(.ecdsaSha512)]
        case (.eccNistP256, .keyAgreement), (.eccNistP384, .keyAgreement), (.eccNistP521, .keyAgreement):
            [.keyAgreement(.ecdh)]
        case (.eccNistEdwards25519, .signVerify): [.signing(.ed25519Sha512), .signing(.ed25519PhSha512)]
        case (.mlDsa44, .signVerify), (.mlDsa65, .signVerify), (.mlDsa87, .signVerify):
            [.signing(.mlDsaShake256)]
        case (.mlKem512, .encapsulateDecapsulate), (.mlKem768, .encapsulateDecapsulate),
            (.mlKem1024, .encapsulateDecapsulate):
            [.encapsulation]
        case (.sm2, .encryptDecrypt): [.encryption(.sm2pke)]
        case (.sm2, .signVerify): [.signing(.sm2dsa)]
        case (.sm2, .keyAgreement): [.keyAgreement(.ecdh)]
        default: []
        }
    }
}
