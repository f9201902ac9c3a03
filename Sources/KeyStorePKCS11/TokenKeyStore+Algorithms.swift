internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

// What keys other than AES do: decrypt with RSA, sign, authenticate, agree.

extension TokenKeyStore {
    func decrypt(
        _ ciphertext: [UInt8], algorithm: EncryptionAlgorithmSpec, with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes {
        try require(.encryption(algorithm), key)
        let capabilities = capabilities
        guard let hash = TokenOAEP.hash(of: algorithm), let method = capabilities.oaepMethods[algorithm] else {
            throw KeyStoreError(.unsupportedAlgorithm, "\(algorithm.rawValue) is not for ciphertexts of this kind")
        }
        guard let modulus = key.publicKey.flatMap({ PublicKeyInfo.modulus(of: $0) }) else {
            throw KeyStoreError(.internalFailure, "the backing key has no RSA public key")
        }
        guard TokenOAEP.hasForm(ciphertext, modulus: modulus) else { throw TokenOperation.invalidCiphertext }
        let oaep = TokenOAEP(hash: hash, method: method)
        let junk = capabilities.badPaddingReturnValues[algorithm]
        let answer = try await run(.decrypt(junk: junk), key) { key, session throws(PKCS11Error) in
            try oaep.decrypt(ciphertext, with: key, in: &session)
        }
        switch answer {
        case .plaintext(let plaintext): return plaintext
        case .invalid: throw TokenOperation.invalidCiphertext
        case .failure(let reason): throw KeyStoreError(.internalFailure, reason)
        }
    }

    func sign(
        _ input: SigningInput, algorithm: SigningAlgorithmSpec, with key: BackingKey
    ) async throws(KeyStoreError) -> [UInt8] {
        try require(.signing(algorithm), key)
        let signature = try TokenSignature(input, algorithm: algorithm, form: try form(of: key))
        let made = try await run(.sign, key) { key, session throws(PKCS11Error) in
            try signature.make(with: key, in: &session)
        }
        guard let made else {
            throw KeyStoreError(.internalFailure, "the token's answer does not have the form of a signature")
        }
        guard try isValid(made, input, algorithm, key) else {
            throw KeyStoreError(.internalFailure, "the signature that the token made does not verify")
        }
        return made
    }

    /// Tokens fail in the middle of a computation too, and one wrong RSA signature is enough to factor the modulus
    /// where the token works with its primes apart (Boneh, DeMillo, Lipton: On the Importance of Eliminating Errors in
    /// Cryptographic Computations, 2001). So no signature leaves before it has been verified.
    private func isValid(
        _ signature: [UInt8], _ input: SigningInput, _ algorithm: SigningAlgorithmSpec, _ key: BackingKey
    ) throws(KeyStoreError) -> Bool {
        let (bytes, form) = input.content
        do throws(CryptographyError) {
            let publicKey: PublicKey
            if let known = connection.publicKeys.value(for: key.id) {
                publicKey = known
            } else {
                publicKey = try KeyTrial.publicKey(key.publicKey ?? [], key.keySpec)
                connection.publicKeys.insert(publicKey, for: key.id)
            }
            return try publicKey.isValid(signature: signature.span, of: bytes.span, as: form, algorithm.scheme)
        } catch {
            throw KeyStoreError(.internalFailure, "the signature cannot be verified: \(error)")
        }
    }

    func authenticate(
        _ message: SecretBytes, algorithm: MacAlgorithmSpec, with key: BackingKey
    ) async throws(KeyStoreError) -> [UInt8] {
        try require(.mac(algorithm), key)
        return try await code(of: message, with: key, .authenticate)
    }

    func deriveSharedSecret(
        publicKey: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes {
        try require(.keyAgreement(.ecdh), key)
        guard case .ec(let curve) = try form(of: key), let point = PublicKeyInfo.point(of: publicKey, on: curve) else {
            throw KeyStoreError(.internalFailure, "the public key is not a point on the key's curve")
        }
        let encoding = capabilities.pointEncoding
        let secret = try await run(.deriveSharedSecret, key) { key, session throws(PKCS11Error) in
            try SharedSecret.derive(point: point, encoding, curve: curve, key: key, in: &session)
        }
        guard let secret else {
            throw KeyStoreError(.internalFailure, "the token's shared secret does not have the length of the field")
        }
        return secret
    }

    func decapsulate(_ ciphertext: [UInt8], with key: BackingKey) async throws(KeyStoreError) -> SecretBytes {
        try require(.encapsulation, key)
        throw KeyStoreError(.unsupportedAlgorithm, "the token does not have ML-KEM")
    }

    func fingerprint(of key: BackingKey) async throws(KeyStoreError) -> SecretBytes {
        switch try form(of: key) {
        case .aes256:
            return try await blockFingerprint(of: key)
        case .hmac:
            var code = try await code(of: Self.fingerprintMessage, with: key, .fingerprint)
            defer { wipe(&code) }
            return SecretBytes(copying: code.span)
        case .rsa, .ec, .ed25519:
            guard let publicKey = key.publicKey else {
                throw KeyStoreError(.internalFailure, "the backing key has no public key")
            }
            if case .missing = connection.handles.lookup(try name(of: key)) { throw Self.keyNotFound }
            return SecretBytes(copying: publicKey.span)
        }
    }

    // MARK: Parts

    private func form(of key: BackingKey) throws(KeyStoreError) -> KeyForm {
        guard let form = KeyForm(key.keySpec) else {
            throw KeyStoreError(.unsupportedAlgorithm, KeyForm.absence(of: key.keySpec))
        }
        return form
    }

    private func blockFingerprint(of key: BackingKey) async throws(KeyStoreError) -> SecretBytes {
        if let refusal = capabilities.refusal(of: TokenCapabilities.Need.symmetric) {
            throw KeyStoreError(.unsupportedAlgorithm, refusal)
        }
        let fingerprint = try await run(.fingerprint, key) { key, session throws(PKCS11Error) in
            var block = try FingerprintBlock.encrypt(under: key, in: &session)
            defer { wipe(&block) }
            return SecretBytes(copying: block.span)
        }
        guard fingerprint.count == FingerprintBlock.bytes.count else {
            throw KeyStoreError(.internalFailure, "AES-ECB of one block gave \(fingerprint.count) bytes")
        }
        return fingerprint
    }

    /// Longer than any message that the API takes (4096 bytes), so that no MAC which anybody is given is the
    /// fingerprint of its key.
    private static let fingerprintMessage = SecretBytes(capacity: 12 + 4_096) { output in
        for byte in "strongroom-f".utf8 { output.append(byte) }
        while output.freeCapacity > 0 { output.append(0xFF) }
    }

    private func code(
        of message: SecretBytes, with key: BackingKey, _ operation: TokenOperation
    ) async throws(KeyStoreError) -> [UInt8] {
        guard case .hmac(let hash) = try form(of: key) else {
            throw KeyStoreError(.unsupportedAlgorithm, "the key makes no MACs")
        }
        let code = try await run(operation, key) { key, session throws(PKCS11Error) in
            try message.withBytes { message throws(PKCS11Error) in
                try session.sign(message, .hmac(hash: hash), key: key)
            }
        }
        guard code.count == hash.byteCount else {
            throw KeyStoreError(.internalFailure, "the token's MAC has \(code.count) bytes")
        }
        return code
    }
}
