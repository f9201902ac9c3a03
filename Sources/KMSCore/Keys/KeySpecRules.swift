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

    /// KMS API, CreateKey: SM2 is for China Regions only, and ML-KEM is not there.
    static func checkRegion(_ region: String, of keySpec: KeySpec, named member: String) throws(KMSError) {
        let isInChina = region.hasPrefix("cn-")
        let isOffered =
            switch keySpec {
            case .sm2: isInChina
            case .mlKem512, .mlKem768, .mlKem1024: !isInChina
            default: true
            }
        guard isOffered else {
            throw .unsupportedOperation("\(member) \(keySpec.rawValue) is not supported in the Region \(region).")
        }
    }
}
