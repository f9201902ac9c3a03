internal import Cryptography
public import KMSModel
public import KeyStores
public import SecureMemory

// What is not symmetric encryption.
extension SoftwareKeyStore {
    public func decrypt(
        _ ciphertext: [UInt8], algorithm: EncryptionAlgorithmSpec, with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes {
        try require(.encryption(algorithm), of: key)
        guard let scheme = algorithm.scheme else {
            throw KeyStoreError(.unsupportedAlgorithm, "\(algorithm.rawValue) does not decrypt with a private key")
        }
        return try await withKeyPair(key) { key throws(CryptographyError) in
            try key.decrypt(ciphertext.span, scheme)
        }
    }

    public func sign(
        _ input: SigningInput, algorithm: SigningAlgorithmSpec, with key: BackingKey
    ) async throws(KeyStoreError) -> [UInt8] {
        try require(.signing(algorithm), of: key)
        let signed = try Self.signed(input, algorithm)
        return try await withKeyPair(key) { key throws(CryptographyError) in
            let bytes = signed.bytes
            return try key.sign(bytes.span, as: signed.form, algorithm.scheme)
        }
    }

    private static func signed(
        _ input: SigningInput, _ algorithm: SigningAlgorithmSpec
    ) throws(KeyStoreError) -> (bytes: [UInt8], form: SignedForm) {
        switch input {
        case .message(let message):
            // KMS API: ED25519_PH_SHA_512 takes digests alone.
            guard algorithm != .ed25519PhSha512 else {
                throw KeyStoreError(.unsupportedAlgorithm, "\(algorithm.rawValue) signs digests, not messages")
            }
            try checkLength(message.count)
            return (message, .message)
        case .digest(let digest):
            guard algorithm == .ed25519PhSha512 else { return (digest, .digest) }
            // Ed25519ph hashes its message, which is here a digest already, once more.
            guard digest.count == HashFunction.sha512.byteCount else {
                throw KeyStoreError(.internalFailure, "a SHA-512 digest of \(digest.count) bytes")
            }
            return (digest, .message)
        case .externalMu(let representative):
            return (representative, .representative)
        }
    }

    public func authenticate(
        _ message: SecretBytes, algorithm: MacAlgorithmSpec, with key: BackingKey
    ) async throws(KeyStoreError) -> [UInt8] {
        try require(.mac(algorithm), of: key)
        try Self.checkLength(message.count)
        return try await with(key) { material throws(CryptographyError) in
            guard case .mac(let key, let own) = material else {
                throw CryptographyError(.unsupportedAlgorithm, "the key does not make codes")
            }
            return try message.withBytes { message throws(CryptographyError) in
                try own.authenticate(message, key: key)
            }
        }
    }

    public func deriveSharedSecret(
        publicKey: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes {
        try require(.keyAgreement(.ecdh), of: key)
        return try await withKeyPair(key) { key throws(CryptographyError) in
            try key.agree(with: PublicKey(spki: publicKey, kind: key.kind))
        }
    }

    public func decapsulate(
        _ ciphertext: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes {
        try require(.encapsulation, of: key)
        return try await withKeyPair(key) { key throws(CryptographyError) in
            // A wrong length is all that can be wrong with an ML-KEM ciphertext.
            guard ciphertext.count == key.kind.encapsulationByteCount else {
                throw CryptographyError(.authenticationFailure, "the ciphertext has \(ciphertext.count) bytes")
            }
            return try key.decapsulate(ciphertext.span)
        }
    }

    private func withKeyPair<Output: Sendable>(
        _ key: BackingKey, _ work: @escaping @Sendable (PrivateKey) throws(CryptographyError) -> Output
    ) async throws(KeyStoreError) -> Output {
        try await with(key) { material throws(CryptographyError) in
            guard case .keyPair(let key) = material else {
                throw CryptographyError(.unsupportedAlgorithm, "the key is not a key pair")
            }
            return try work(key)
        }
    }

    private func require(_ algorithm: KeyAlgorithm, of key: BackingKey) throws(KeyStoreError) {
        guard let reason = refusal(of: algorithm, keySpec: key.keySpec) else { return }
        throw KeyStoreError(.unsupportedAlgorithm, reason)
    }

    private static func checkLength(_ count: Int) throws(KeyStoreError) {
        guard messageByteCounts ~= count else {
            throw KeyStoreError(.internalFailure, "a message has 1...4096 bytes, not \(count)")
        }
    }
}
