internal import CLibCrypto
internal import SecureMemory

extension KeyObject {
    /// Longest signature of any kind: ML-DSA-87.
    private static let maximumSignatureByteCount = 4_627
    /// GB/T 35276 §10: the identifier of a signer who has agreed on no other.
    private static let defaultIdentifier = Array("1234567812345678".utf8)

    /// Signs a digest of the right length.
    func sign(digest: Span<UInt8>, _ scheme: SignatureScheme) throws(CryptographyError) -> [UInt8] {
        let context = try KeyContext(self)
        guard unsafe EVP_PKEY_sign_init(context.pointer) == 1 else { throw .fromLibrary("EVP_PKEY_sign_init") }
        try context.configure(for: scheme)
        return try unsafe signature { output, count throws(CryptographyError) in
            let status = unsafe digest.withUnsafeBufferPointer {
                unsafe EVP_PKEY_sign(context.pointer, output, &count, $0.baseAddress, $0.count)
            }
            guard status == 1 else { throw .fromLibrary("EVP_PKEY_sign") }
        }
    }

    func isValid(
        signature: Span<UInt8>, digest: Span<UInt8>, _ scheme: SignatureScheme
    ) throws(CryptographyError) -> Bool {
        let context = try KeyContext(self)
        guard unsafe EVP_PKEY_verify_init(context.pointer) == 1 else { throw .fromLibrary("EVP_PKEY_verify_init") }
        try context.configure(for: scheme)
        let status = unsafe signature.withUnsafeBufferPointer { signature in
            unsafe digest.withUnsafeBufferPointer { digest in
                unsafe EVP_PKEY_verify(
                    context.pointer, signature.baseAddress, signature.count, digest.baseAddress, digest.count)
            }
        }
        // Negative for a signature that does not even parse: no different from one that does not verify.
        ERR_clear_error()
        return status == 1
    }

    /// Signs a whole message, or a representative, with a scheme that does its own hashing.
    func sign(
        whole message: Span<UInt8>, _ scheme: SignatureScheme, isRepresentative: Bool = false
    ) throws(CryptographyError) -> [UInt8] {
        let context = try SigningContext(self, scheme, isRepresentative: isRepresentative, verifying: false)
        return try unsafe signature { output, count throws(CryptographyError) in
            let status = unsafe message.withUnsafeBufferPointer {
                unsafe EVP_DigestSign(context.pointer, output, &count, $0.baseAddress, $0.count)
            }
            guard status == 1 else { throw .fromLibrary("EVP_DigestSign") }
        }
    }

    func isValid(
        signature: Span<UInt8>, whole message: Span<UInt8>, _ scheme: SignatureScheme, isRepresentative: Bool = false
    ) throws(CryptographyError) -> Bool {
        let context = try SigningContext(self, scheme, isRepresentative: isRepresentative, verifying: true)
        let status = unsafe signature.withUnsafeBufferPointer { signature in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe EVP_DigestVerify(
                    context.pointer, signature.baseAddress, signature.count, message.baseAddress, message.count)
            }
        }
        ERR_clear_error()
        return status == 1
    }

    private func signature(
        _ sign: (UnsafeMutablePointer<UInt8>?, inout Int) throws(CryptographyError) -> Void
    ) throws(CryptographyError) -> [UInt8] {
        let longest = unsafe Int(EVP_PKEY_get_size(pointer))
        guard 1...Self.maximumSignatureByteCount ~= longest else { throw .fromLibrary("EVP_PKEY_get_size") }
        var signature = [UInt8](repeating: 0, count: longest)
        var count = longest
        try unsafe signature.withUnsafeMutableBufferPointer { output throws(CryptographyError) in
            try unsafe sign(output.baseAddress, &count)
        }
        guard 1...longest ~= count else { throw CryptographyError(.failure, "a signature of \(count) bytes") }
        signature.removeLast(longest - count)
        return signature
    }

    /// One EVP_MD_CTX for one signature over a whole message.
    @safe
    private struct SigningContext: ~Copyable {
        let pointer: OpaquePointer

        init(
            _ key: KeyObject, _ scheme: SignatureScheme, isRepresentative: Bool, verifying: Bool
        ) throws(CryptographyError) {
            guard let pointer = unsafe EVP_MD_CTX_new() else { throw .fromLibrary("EVP_MD_CTX_new") }
            let parameters = unsafe Self.parameters(scheme, isRepresentative)
            // SM2 hashes in the scheme's sight, because Z stands before the message; the others name no digest.
            let digest = scheme.digest?.libraryName
            var keyContext: OpaquePointer?
            let status =
                if verifying {
                    unsafe EVP_DigestVerifyInit_ex(pointer, &keyContext, digest, nil, nil, key.pointer, parameters)
                } else {
                    unsafe EVP_DigestSignInit_ex(pointer, &keyContext, digest, nil, nil, key.pointer, parameters)
                }
            let identifier = KeyObject.defaultIdentifier
            guard status == 1,
                unsafe scheme != .sm2
                    || EVP_PKEY_CTX_set1_id(keyContext, identifier, CInt(identifier.count)) == 1
            else {
                unsafe EVP_MD_CTX_free(pointer)
                throw .fromLibrary(verifying ? "EVP_DigestVerifyInit_ex" : "EVP_DigestSignInit_ex")
            }
            unsafe self.pointer = pointer
        }

        deinit { unsafe EVP_MD_CTX_free(pointer) }

        private static func parameters(_ scheme: SignatureScheme, _ isRepresentative: Bool) -> [OSSL_PARAM] {
            var parameters: [OSSL_PARAM] = unsafe []
            if scheme == .ed25519ph { unsafe parameters.append(clibcrypto_signature_ed25519ph()) }
            if isRepresentative { unsafe parameters.append(clibcrypto_signature_of_mu()) }
            unsafe parameters.append(OSSL_PARAM_construct_end())
            return unsafe parameters
        }
    }
}

extension KeyContext {
    /// Padding and digest for work on a digest. After the init call of the operation.
    fileprivate func configure(for scheme: SignatureScheme) throws(CryptographyError) {
        guard let hash = scheme.digest else {
            throw CryptographyError(.unsupportedAlgorithm, "the scheme does not sign digests")
        }
        let digest = try unsafe hash.algorithm
        var accepted = unsafe EVP_PKEY_CTX_set_signature_md(pointer, digest) == 1
        switch scheme {
        case .rsaPKCS1:
            accepted = unsafe accepted && EVP_PKEY_CTX_set_rsa_padding(pointer, RSA_PKCS1_PADDING) == 1
        case .rsaPSS:
            // The length of the salt is fixed in verification too: a signature made otherwise is another scheme's.
            accepted =
                unsafe accepted && EVP_PKEY_CTX_set_rsa_padding(pointer, RSA_PKCS1_PSS_PADDING) == 1
                && EVP_PKEY_CTX_set_rsa_mgf1_md(pointer, digest) == 1
                && EVP_PKEY_CTX_set_rsa_pss_saltlen(pointer, CInt(hash.byteCount)) == 1
        case .ecdsa, .sm2, .ed25519, .ed25519ph, .mlDSA:
            break
        }
        guard accepted else { throw .fromLibrary("EVP_PKEY_CTX_set_signature_md") }
    }
}
