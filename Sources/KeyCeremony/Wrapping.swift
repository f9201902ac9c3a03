internal import Cryptography
public import Foundation
internal import KMSModel
internal import KeyStores

extension KeyMaterial {
    /// Encrypts the material so that only the service can decrypt it. No network is involved.
    public func wrapped(with parameters: ImportParameters, at time: Date = Date()) throws(CeremonyError) -> [UInt8] {
        let publicKey = try parameters.checkedPublicKey(at: time)
        guard parameters.keySpec == keySpec, let scheme = parameters.wrappingAlgorithm.scheme else {
            throw CeremonyError("the import parameters are for a \(parameters.keySpec.rawValue) key")
        }
        do throws(CryptographyError) {
            return try publicKey.wrap(bytes, scheme)
        } catch {
            throw CeremonyError("the key material could not be wrapped: \(error.reason)")
        }
    }
}
