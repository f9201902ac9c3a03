internal import Cryptography
public import KMSModel
internal import KeyStores

/// Which way of wrapping goes with which key (KMS Developer Guide, "Select a wrapping public key spec", "Select a
/// wrapping algorithm").
public enum WrappingChoice {
    /// RSA-2048 would do for most; the strongest one costs nothing in a ceremony.
    public static let defaultWrappingKeySpec = WrappingKeySpec.rsa4096

    /// What is taken unless somebody wants another: OAEP alone where the material fits in a block, and AES key wrapping
    /// for private keys.
    public static func defaultAlgorithm(for keySpec: KeySpec, hash: OAEPHash = .sha256) -> AlgorithmSpec {
        switch (keySpec.secretByteCount == nil, hash) {
        case (false, .sha256): .rsaesOaepSha256
        case (false, .sha1): .rsaesOaepSha1
        case (true, .sha256): .rsaAesKeyWrapSha256
        case (true, .sha1): .rsaAesKeyWrapSha1
        }
    }

    /// Errors: a sentence for a pair that the service refuses for keys of this spec.
    public static func check(
        _ algorithm: AlgorithmSpec, _ wrappingKeySpec: WrappingKeySpec, for keySpec: KeySpec
    ) throws(CeremonyError) {
        try KeyMaterial.requireImportable(keySpec)
        if let refusal = algorithm.refusal(with: wrappingKeySpec) { throw CeremonyError(refusal) }
        guard case .rsaOAEP(let hash)? = algorithm.scheme else { return }
        let limit = EncryptionScheme.rsaOAEP(hash).maximumPlaintextByteCount(for: wrappingKeySpec.keyPairKind) ?? 0
        guard let count = keySpec.smallestMaterialByteCount, count <= limit else {
            throw CeremonyError(
                "the material of a \(keySpec.rawValue) key does not fit into one block of \(algorithm.rawValue) under "
                    + "\(wrappingKeySpec.rawValue): take RSA_AES_KEY_WRAP_SHA_256")
        }
    }
}

/// The hash of RSAES-OAEP, and of its mask generation function.
public enum OAEPHash: String, Sendable {
    case sha1 = "SHA-1"
    case sha256 = "SHA-256"
}

extension KeySpec {
    /// The fewest bytes that material of this spec can have; nil for RSA, which fits in no block.
    fileprivate var smallestMaterialByteCount: Int? {
        if let count = secretByteCount { return count }
        switch self {
        // PrivateKeyInfo with an ECPrivateKey and its public key, as libcrypto writes it.
        case .eccNistP256: return 138
        case .eccSecgP256k1: return 135
        case .eccNistP384: return 185
        case .eccNistP521: return 241
        default: return nil
        }
    }
}
