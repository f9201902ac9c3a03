internal import CLibCrypto
public import SecureMemory

/// Key derivation in counter mode with HMAC-SHA-256 (NIST SP 800-108r1 §4.1): 32-bit counter first, then the fixed
/// input `label || 0x00 || context || L`, with L, the output length in bits, in 32 bits.
public enum CounterKDF {
    /// Derives `count` bytes (1...8160) from `key`.
    ///
    /// Different labels or contexts give independent keys. The label must not contain a zero byte, so that the
    /// separator is the first one (SP 800-108r1 §4: the encoding must be unambiguous).
    public static func derive(
        from key: SecretBytes, label: Span<UInt8>, context: Span<UInt8>, count: Int
    ) throws(CryptographyError) -> SecretBytes {
        // 255 blocks: far below the 2^32 - 1 that the standard allows; a bound against mistakes.
        guard 1...255 * HMACSHA256.byteCount ~= count else {
            throw CryptographyError(.invalidLength, "derived key length must be 1...8160 bytes, not \(count)")
        }
        guard key.count > 0 else { throw CryptographyError(.invalidLength, "the derivation key is empty") }
        for index in label.indices where label[index] == 0 {
            throw CryptographyError(.failure, "the label of a key derivation contains a zero byte")
        }
        let algorithm = try unsafe FetchedAlgorithms.require(FetchedAlgorithms.kbkdf, "KBKDF")
        guard let derivation = unsafe EVP_KDF_CTX_new(algorithm) else { throw .fromLibrary("EVP_KDF_CTX_new") }
        defer { unsafe EVP_KDF_CTX_free(derivation) }
        return try SecretBytes(capacity: count) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                let status = key.withBytes { key in
                    unsafe key.withUnsafeBufferPointer { key in
                        unsafe label.withUnsafeBufferPointer { label in
                            unsafe context.withUnsafeBufferPointer { context in
                                unsafe run(derivation, key: key, label: label, context: context, output: output)
                            }
                        }
                    }
                }
                guard status == 1 else { throw .fromLibrary("EVP_KDF_derive") }
                initialized = count
            }
        }
    }

    /// Derives `count` bytes with a label that stands in the source text.
    public static func derive(
        from key: SecretBytes, label: StaticString, context: [UInt8], count: Int
    ) throws(CryptographyError) -> SecretBytes {
        try derive(from: key, label: Array(label.description.utf8).span, context: context.span, count: count)
    }

    private static func run(
        _ derivation: OpaquePointer, key: UnsafeBufferPointer<UInt8>, label: UnsafeBufferPointer<UInt8>,
        context: UnsafeBufferPointer<UInt8>, output: UnsafeMutableBufferPointer<UInt8>
    ) -> CInt {
        // EVP_KDF-KB(7): the separator and L are used unless switched off.
        var parameters = unsafe [
            clibcrypto_kdf_mode_counter(), clibcrypto_kdf_mac_hmac(), clibcrypto_kdf_digest_sha256(),
            clibcrypto_kdf_key(key.baseAddress, key.count),
        ]
        if !label.isEmpty { unsafe parameters.append(clibcrypto_kdf_label(label.baseAddress, label.count)) }
        if !context.isEmpty { unsafe parameters.append(clibcrypto_kdf_context(context.baseAddress, context.count)) }
        unsafe parameters.append(OSSL_PARAM_construct_end())
        return unsafe EVP_KDF_derive(derivation, output.baseAddress, output.count, parameters)
    }
}
