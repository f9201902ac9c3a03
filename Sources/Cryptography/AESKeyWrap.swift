internal import CLibCrypto
public import SecureMemory

/// AES key wrap with padding (RFC 5649; KWP of SP 800-38F §6.3): wraps keys of any length under an AES key.
public enum AESKeyWrap {
    /// AES-128, AES-192 and AES-256.
    public static let keyByteCounts = [16, 24, 32]
    /// The smallest and the largest that this module wraps; an RSA-4096 key has about 2400 bytes.
    public static let materialByteCounts = 1...PrivateKey.maximumByteCount

    /// Eight bytes of integrity check and length, and the material padded to a multiple of eight.
    ///
    /// Errors: `invalidLength` for a key or material of another length.
    public static func wrap(_ material: SecretBytes, key: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
        guard materialByteCounts ~= material.count else {
            throw CryptographyError(.invalidLength, "material of \(material.count) bytes")
        }
        let context = try start(.encrypt, key: key)
        var wrapped = [UInt8](repeating: 0, count: (material.count + 7) / 8 * 8 + 8)
        var count: CInt = 0
        let status = material.withBytes { material in
            unsafe material.withUnsafeBufferPointer { material in
                unsafe wrapped.withUnsafeMutableBufferPointer { output in
                    unsafe EVP_CipherUpdate(
                        context.pointer, output.baseAddress, &count, material.baseAddress, CInt(material.count))
                }
            }
        }
        guard status == 1, Int(count) == wrapped.count else { throw .fromLibrary("EVP_CipherUpdate") }
        return wrapped
    }

    /// The reverse of `wrap`.
    ///
    /// Errors: `authenticationFailure` for everything that does not unwrap, other lengths included, without a
    /// difference; `invalidLength` for a key of another length.
    public static func unwrap(_ wrapped: Span<UInt8>, key: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
        let context = try start(.decrypt, key: key)
        guard isWrappedByteCount(wrapped.count) else { throw .notAuthentic() }
        return try SecretBytes(capacity: wrapped.count) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                var count: CInt = 0
                let status = unsafe wrapped.withUnsafeBufferPointer {
                    unsafe EVP_CipherUpdate(
                        context.pointer, output.baseAddress, &count, $0.baseAddress, CInt($0.count))
                }
                guard status == 1, 1...output.count ~= Int(count) else { throw .notAuthentic() }
                initialized = Int(count)
            }
        }
    }

    /// Whether wrapped material can have this length at all (RFC 5649 §4.2).
    public static func isWrappedByteCount(_ count: Int) -> Bool {
        count % 8 == 0 && 16...materialByteCounts.upperBound + 8 ~= count
    }

    private static func start(
        _ direction: CipherContext.Direction, key: Span<UInt8>
    ) throws(CryptographyError) -> CipherContext {
        let context: CipherContext
        switch key.count {
        case 16: context = try unsafe CipherContext(FetchedAlgorithms.aes128WrapPad, "AES-128-WRAP-PAD")
        case 24: context = try unsafe CipherContext(FetchedAlgorithms.aes192WrapPad, "AES-192-WRAP-PAD")
        case 32: context = try unsafe CipherContext(FetchedAlgorithms.aes256WrapPad, "AES-256-WRAP-PAD")
        default: throw CryptographyError(.invalidLength, "an AES key has 16, 24 or 32 bytes, not \(key.count)")
        }
        // Older versions of libcrypto refuse the mode to whoever does not say that it is meant.
        unsafe EVP_CIPHER_CTX_set_flags(context.pointer, CInt(EVP_CIPHER_CTX_FLAG_WRAP_ALLOW))
        try context.start(direction, key: key)
        return context
    }
}
