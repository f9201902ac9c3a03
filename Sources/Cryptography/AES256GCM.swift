internal import CLibCrypto
public import SecureMemory

/// AES-256 in Galois/Counter Mode (NIST SP 800-38D) with 128-bit tags.
///
/// The caller answers for the IV: the same key and IV must never encrypt two messages (SP 800-38D §8).
public enum AES256GCM {
    public static let keyByteCount = 32
    public static let tagByteCount = 16
    /// libcrypto takes IVs of up to 128 bytes; 12 is the length without a hashing step.
    public static let ivByteCounts = 1...128
    /// Far below the 2^36 - 32 bytes of SP 800-38D §5.2.1.1; libcrypto counts in `int`.
    public static let maximumByteCount = 1 << 30

    /// Encrypts `plaintext` and authenticates `associatedData` with it.
    ///
    /// Errors: `invalidLength` for a key that is not 32 bytes or an IV outside `ivByteCounts`.
    public static func seal(
        plaintext: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, associatedData: Span<UInt8>
    ) throws(CryptographyError) -> (ciphertext: [UInt8], tag: [UInt8]) {
        let context = try unsafe CipherContext(FetchedAlgorithms.aes256GCM, "AES-256-GCM")
        try checkLengths(key: key, iv: iv, associatedData: associatedData, message: plaintext)
        try context.start(.encrypt, key: key, iv: iv)
        try context.authenticate(associatedData)
        var ciphertext = [UInt8](repeating: 0, count: plaintext.count)
        try unsafe ciphertext.withUnsafeMutableBufferPointer { output throws(CryptographyError) in
            try unsafe context.update(plaintext, to: output)
        }
        guard context.finish() else { throw .fromLibrary("EVP_CipherFinal_ex") }
        var tag = [UInt8](repeating: 0, count: tagByteCount)
        let status = unsafe tag.withUnsafeMutableBufferPointer {
            unsafe clibcrypto_get_tag(context.pointer, $0.baseAddress, CInt(tagByteCount))
        }
        guard status == 1 else { throw .fromLibrary("EVP_CTRL_AEAD_GET_TAG") }
        return (ciphertext, tag)
    }

    /// `seal` with a key that is a whole `SecretBytes`.
    public static func seal(
        plaintext: Span<UInt8>, key: SecretBytes, iv: Span<UInt8>, associatedData: Span<UInt8>
    ) throws(CryptographyError) -> (ciphertext: [UInt8], tag: [UInt8]) {
        try key.withBytes { key throws(CryptographyError) in
            try seal(plaintext: plaintext, key: key, iv: iv, associatedData: associatedData)
        }
    }

    /// The reverse of `seal`. Nothing of the plaintext is handed out unless the whole message verifies.
    ///
    /// Errors: `authenticationFailure` when anything does not verify, a tag of another length included;
    /// `invalidLength` for a key that is not 32 bytes or an IV outside `ivByteCounts`.
    public static func open(
        ciphertext: Span<UInt8>, tag: Span<UInt8>, key: Span<UInt8>, iv: Span<UInt8>, associatedData: Span<UInt8>
    ) throws(CryptographyError) -> SecretBytes {
        let context = try unsafe CipherContext(FetchedAlgorithms.aes256GCM, "AES-256-GCM")
        try checkLengths(key: key, iv: iv, associatedData: associatedData, message: ciphertext)
        // Shorter tags are cheaper to forge (SP 800-38D appendix C): the full length or nothing.
        guard tag.count == tagByteCount else { throw .notAuthentic() }
        try context.start(.decrypt, key: key, iv: iv)
        try context.authenticate(associatedData)
        return try SecretBytes(capacity: ciphertext.count) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                try unsafe context.update(ciphertext, to: output)
                let status = unsafe tag.withUnsafeBufferPointer {
                    unsafe clibcrypto_set_tag(context.pointer, $0.baseAddress, CInt(tagByteCount))
                }
                guard status == 1 else { throw .fromLibrary("EVP_CTRL_AEAD_SET_TAG") }
                guard context.finish() else { throw .notAuthentic() }
                initialized = ciphertext.count
            }
        }
    }

    /// `open` with a key that is a whole `SecretBytes`.
    public static func open(
        ciphertext: Span<UInt8>, tag: Span<UInt8>, key: SecretBytes, iv: Span<UInt8>, associatedData: Span<UInt8>
    ) throws(CryptographyError) -> SecretBytes {
        try key.withBytes { key throws(CryptographyError) in
            try open(ciphertext: ciphertext, tag: tag, key: key, iv: iv, associatedData: associatedData)
        }
    }

    private static func checkLengths(
        key: Span<UInt8>, iv: Span<UInt8>, associatedData: Span<UInt8>, message: Span<UInt8>
    ) throws(CryptographyError) {
        guard key.count == keyByteCount else {
            throw CryptographyError(.invalidLength, "an AES-256 key has 32 bytes, not \(key.count)")
        }
        guard ivByteCounts ~= iv.count else {
            throw CryptographyError(.invalidLength, "a GCM IV has 1...128 bytes, not \(iv.count)")
        }
        guard message.count <= maximumByteCount, associatedData.count <= maximumByteCount else {
            throw CryptographyError(.invalidLength, "more than \(maximumByteCount) bytes in one message")
        }
    }
}
