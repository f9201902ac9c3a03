internal import KMSModel
internal import KeyStores

// Key material from outside.

extension TokenKeyStore {
    private static let refusal = "the token store does not import key material"

    func refusal(ofImporting keySpec: KeySpec, usage: KeyUsageType) -> String? { Self.refusal }

    func refusal(ofWrapping algorithm: AlgorithmSpec, _ wrappingKeySpec: WrappingKeySpec) -> String? { Self.refusal }

    func makeWrappingKey(_ request: WrappingKeyGeneration) async throws(KeyStoreError) -> WrappingKey {
        throw KeyStoreError(.unsupportedAlgorithm, Self.refusal)
    }

    func importKey(_ request: KeyImport) async throws(KeyStoreError) -> ImportedKey {
        throw KeyStoreError(.unsupportedAlgorithm, Self.refusal)
    }
}
