import KMSModel

/// What is taken that AWS itself refuses. It decides what may be made; what was made before goes on working.
public enum Compatibility: String, Sendable, CaseIterable {
    /// Nothing. For tests of programs that will meet AWS.
    case aws
    /// A custom key store takes every kind of key that its token can do.
    case extended
}

extension KeyManagementService {
    /// Custom key stores hold symmetric encryption keys and no others (KMS Developer Guide, "Key stores": asymmetric
    /// and HMAC KMS keys are not supported in custom key stores).
    ///
    /// Errors: UnsupportedOperationException. AWS's code and text are not recorded.
    func checkCompatibility(ofCustomKeyStoreWith keySpec: KeySpec, _ origin: OriginType) throws(KMSError) {
        if configuration.compatibility == .aws, origin != .awsCloudhsm {
            throw .validation("CustomKeyStoreId is valid only for an Origin of AWS_CLOUDHSM or EXTERNAL_KEY_STORE.")
        }
        guard configuration.compatibility == .aws, keySpec != .symmetricDefault else { return }
        throw .unsupportedOperation(
            "KeySpec \(keySpec.rawValue) is not supported in a custom key store: it holds SYMMETRIC_DEFAULT keys only.")
    }
}
