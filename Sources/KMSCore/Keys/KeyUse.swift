import KMSModel
import KeyStores

// State, usage, algorithm: what every cryptographic operation checks of its key after authorization, in this order
// (docs/api-coverage.md, "Order of checks").
extension KeyManagementService {
    /// Errors: DisabledException, KMSInvalidStateException, InvalidKeyUsageException with AWS's texts;
    /// UnsupportedOperationException, with the reason, for an algorithm that the key's store cannot do.
    func check(
        _ key: KMSKey, _ usage: KeyUsageType, _ algorithm: KeyAlgorithm, for operation: KMSOperation
    ) throws(KMSError) {
        try checkState(.cryptographic, of: key)
        guard key.keyUsage == usage else { throw .invalidUsage(key.arn, key.keyUsage, operation) }
        guard key.keySpec.algorithms(for: usage).contains(algorithm) else {
            throw .incompatibleAlgorithm(algorithm.name, key.keySpec)
        }
        if let reason = refusal(of: algorithm, of: key) {
            throw .unsupportedOperation("\(key.arn) cannot do \(algorithm.name): \(reason)")
        }
    }

    /// What the key can do where it lives: what DescribeKey and GetPublicKey list. While its store cannot be asked,
    /// what its spec can do.
    func algorithms(of key: KMSKey) -> [KeyAlgorithm] {
        key.keySpec.algorithms(for: key.keyUsage).filter { refusal(of: $0, of: key) == nil }
    }

    /// Nil also while the key store cannot be asked: then its own failure is the answer.
    private func refusal(of algorithm: KeyAlgorithm, of key: KMSKey) -> String? {
        guard let keyStore = try? registry.keyStore(of: key) else { return nil }
        return keyStore.refusal(of: algorithm, keySpec: key.keySpec)
    }

    /// The current material of a key and the store that it is in.
    func material(of key: KMSKey) throws(KMSError) -> (KeyMaterial, any KeyStore) {
        let material = try key.currentMaterial
        return (material, try registry.keyStore(of: material, key: key))
    }
}
