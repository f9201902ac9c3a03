internal import CLibCrypto
internal import SecureMemory

// Encryption, agreement and encapsulation: what gives or takes a secret.
extension KeyObject {
    func encrypt(_ plaintext: Span<UInt8>, _ scheme: EncryptionScheme) throws(CryptographyError) -> [UInt8] {
        let context = try KeyContext(self)
        guard unsafe EVP_PKEY_encrypt_init(context.pointer) == 1 else { throw .fromLibrary("EVP_PKEY_encrypt_init") }
        try context.configure(for: scheme)
        var count = 0
        let measured = unsafe plaintext.withUnsafeBufferPointer {
            unsafe EVP_PKEY_encrypt(context.pointer, nil, &count, $0.baseAddress, $0.count)
        }
        guard measured == 1, 1...PublicKey.maximumByteCount ~= count else { throw .fromLibrary("EVP_PKEY_encrypt") }
        var ciphertext = [UInt8](repeating: 0, count: count)
        let status = unsafe plaintext.withUnsafeBufferPointer { plaintext in
            unsafe ciphertext.withUnsafeMutableBufferPointer { output in
                unsafe EVP_PKEY_encrypt(
                    context.pointer, output.baseAddress, &count, plaintext.baseAddress, plaintext.count)
            }
        }
        guard status == 1, 1...ciphertext.count ~= count else { throw .fromLibrary("EVP_PKEY_encrypt") }
        return Array(ciphertext.prefix(count))
    }

    /// Errors: `authenticationFailure` for everything that does not decrypt, without a difference.
    func decrypt(_ ciphertext: Span<UInt8>, _ scheme: EncryptionScheme) throws(CryptographyError) -> SecretBytes {
        let context = try KeyContext.decrypting(with: self, scheme)
        // A plaintext is shorter than its ciphertext in both schemes; RSA wants room for a whole modulus.
        return try SecretBytes(capacity: ciphertext.count) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                var count = output.count
                let status = unsafe ciphertext.withUnsafeBufferPointer {
                    unsafe EVP_PKEY_decrypt(context.pointer, output.baseAddress, &count, $0.baseAddress, $0.count)
                }
                guard status == 1, 0...output.count ~= count else { throw .notAuthentic() }
                initialized = count
            }
        }
    }

    /// The x coordinate of the shared point.
    func agree(with peer: KeyObject, count expected: Int) throws(CryptographyError) -> SecretBytes {
        let context = try KeyContext(self)
        guard unsafe EVP_PKEY_derive_init(context.pointer) == 1 else { throw .fromLibrary("EVP_PKEY_derive_init") }
        guard unsafe EVP_PKEY_derive_set_peer_ex(context.pointer, peer.pointer, 1) == 1 else {
            throw .fromLibrary("EVP_PKEY_derive_set_peer_ex", code: .invalidKey)
        }
        return try SecretBytes(capacity: expected) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                var count = output.count
                guard unsafe EVP_PKEY_derive(context.pointer, output.baseAddress, &count) == 1, count == expected else {
                    throw .fromLibrary("EVP_PKEY_derive")
                }
                initialized = count
            }
        }
    }

    /// The x coordinate of the shared point on the SM2 curve; `point` is the peer's, uncompressed.
    func agreeOnSM2Curve(withPoint point: Span<UInt8>, count: Int) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(capacity: count) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                let status = unsafe point.withUnsafeBufferPointer {
                    unsafe clibcrypto_agree_on_sm2_curve(
                        pointer, $0.baseAddress, $0.count, output.baseAddress, CInt(count))
                }
                guard status == 1 else { throw .fromLibrary("EC_POINT_mul") }
                initialized = count
            }
        }
    }

    func encapsulate(count expected: Int) throws(CryptographyError) -> (secret: SecretBytes, ciphertext: [UInt8]) {
        let context = try KeyContext(self)
        guard unsafe EVP_PKEY_encapsulate_init(context.pointer, nil) == 1 else {
            throw .fromLibrary("EVP_PKEY_encapsulate_init")
        }
        var ciphertext = [UInt8](repeating: 0, count: expected)
        let secret = try unsafe secret { output, secretCount throws(CryptographyError) in
            var count = expected
            let status = unsafe ciphertext.withUnsafeMutableBufferPointer {
                unsafe EVP_PKEY_encapsulate(context.pointer, $0.baseAddress, &count, output, &secretCount)
            }
            guard status == 1, count == expected else { throw .fromLibrary("EVP_PKEY_encapsulate") }
        }
        return (secret, ciphertext)
    }

    func decapsulate(_ ciphertext: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
        let context = try KeyContext(self)
        guard unsafe EVP_PKEY_decapsulate_init(context.pointer, nil) == 1 else {
            throw .fromLibrary("EVP_PKEY_decapsulate_init")
        }
        return try unsafe secret { output, count throws(CryptographyError) in
            let status = unsafe ciphertext.withUnsafeBufferPointer {
                unsafe EVP_PKEY_decapsulate(context.pointer, output, &count, $0.baseAddress, $0.count)
            }
            guard status == 1 else { throw .fromLibrary("EVP_PKEY_decapsulate") }
        }
    }

    /// The 32 bytes of an ML-KEM shared secret.
    private func secret(
        _ fill: (UnsafeMutablePointer<UInt8>?, inout Int) throws(CryptographyError) -> Void
    ) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(capacity: PostQuantum.sharedSecretByteCount) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                var count = output.count
                try unsafe fill(output.baseAddress, &count)
                guard count == output.count else { throw CryptographyError(.failure, "a secret of \(count) bytes") }
                initialized = count
            }
        }
    }
}

extension KeyContext {
    /// Ready for EVP_PKEY_decrypt.
    static func decrypting(
        with key: KeyObject, _ scheme: EncryptionScheme
    ) throws(CryptographyError) -> KeyContext {
        let context = try KeyContext(key)
        guard unsafe EVP_PKEY_decrypt_init(context.pointer) == 1 else { throw .fromLibrary("EVP_PKEY_decrypt_init") }
        try context.configure(for: scheme)
        return context
    }

    /// Padding and digest. After the init call of the operation.
    fileprivate func configure(for scheme: EncryptionScheme) throws(CryptographyError) {
        let accepted: Bool
        switch scheme {
        case .rsaOAEP(let hash):
            let digest = try unsafe hash.algorithm
            accepted =
                unsafe EVP_PKEY_CTX_set_rsa_padding(pointer, RSA_PKCS1_OAEP_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_oaep_md(pointer, digest) == 1
                && EVP_PKEY_CTX_set_rsa_mgf1_md(pointer, digest) == 1
        case .sm2:
            // libcrypto's SM2 takes SM3 unless told otherwise.
            accepted = true
        }
        guard accepted else { throw .fromLibrary("EVP_PKEY_CTX_set_rsa_oaep_md") }
    }
}
