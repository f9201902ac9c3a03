package import KMSModel
import KeyStores

/// Which KeySpec allows which KeyUsage (KMS API: CreateKey, KeySpec).
package enum KeySpecRules {
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
        guard !keySpec.algorithms(for: requested).isEmpty else { throw .incompatibleUsage(requested, keySpec) }
        return requested
    }
}
