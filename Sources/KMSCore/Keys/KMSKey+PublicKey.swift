import Cryptography
import KMSModel
import KeyStores

// Everything that needs only a public key is done in software, whatever store the private key is in.
extension KeyManagementService {
    /// Lends the public key of `key` to `body`, on a thread that may take its time.
    ///
    /// Errors: ThrottlingException when too much waits; UnsupportedOperationException for what libcrypto lacks;
    /// KMSInternalException for a record without public key, which no operation makes.
    func withPublicKey<R: Sendable>(
        of key: KMSKey, _ body: @escaping @Sendable (PublicKey) throws(CryptographyError) -> R
    ) async throws(KMSError) -> R {
        let backingKey = try key.currentMaterial.backingKey
        guard let spki = backingKey.publicKey, let kind = key.keySpec.keyPairKind else { throw .internalError }
        let publicKeys = publicKeys
        let result: Result<R, CryptographyError>
        do {
            result = try await publicKeyWork.run {
                Result { () throws(CryptographyError) in
                    if let known = publicKeys.value(for: backingKey.id) { return try body(known) }
                    let opened = try PublicKey(spki: spki, kind: kind)
                    publicKeys.insert(opened, for: backingKey.id)
                    return try body(opened)
                }
            }
        } catch {
            throw .throttled
        }
        do { return try result.get() } catch {
            throw error.code == .unsupportedAlgorithm ? .unsupportedOperation(error.reason) : .internalError
        }
    }
}
