package import KMSModel

/// Which KeySpec allows which KeyUsage (KMS API: CreateKey, KeySpec).
package enum KeySpecRules {
    package static func usages(of keySpec: KeySpec) -> [KeyUsageType] {
        switch keySpec {
        case .symmetricDefault: [.encryptDecrypt]
        case .hmac224, .hmac256, .hmac384, .hmac512: [.generateVerifyMac]
        case .rsa2048, .rsa3072, .rsa4096: [.encryptDecrypt, .signVerify]
        case .eccNistP256, .eccNistP384, .eccNistP521: [.signVerify, .keyAgreement]
        case .eccSecgP256k1, .eccNistEdwards25519, .mlDsa44, .mlDsa65, .mlDsa87: [.signVerify]
        case .mlKem512, .mlKem768, .mlKem1024: [.encapsulateDecapsulate]
        case .sm2: [.encryptDecrypt, .signVerify, .keyAgreement]
        }
    }

    /// Symmetric encryption, HMAC and asymmetric keys are the three types of KMS keys; with an equal KeyUsage, this
    /// one question tells them apart.
    package static func isSymmetricEncryption(_ keySpec: KeySpec) -> Bool { keySpec == .symmetricDefault }

    /// The usage that a CreateKey request means.
    ///
    /// Errors: ValidationException with AWS's texts.
    package static func usage(
        requested: KeyUsageType?, for keySpec: KeySpec
    ) throws(KMSError) -> KeyUsageType {
        guard let requested else {
            guard keySpec == .symmetricDefault else { throw .keyUsageRequired }
            return .encryptDecrypt
        }
        guard usages(of: keySpec).contains(requested) else { throw .incompatibleUsage(requested, keySpec) }
        return requested
    }
}
