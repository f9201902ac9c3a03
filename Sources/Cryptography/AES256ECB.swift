internal import CLibCrypto
public import SecureMemory

/// One block of AES-256 (FIPS 197). For known-answer work on single, fixed blocks only: a mode it is not.
public enum AES256ECB {
    public static let blockByteCount = 16

    /// Encrypts one 16-byte block under a 32-byte key.
    ///
    /// Errors: `invalidLength` for any other length.
    public static func encryptBlock(
        _ block: Span<UInt8>, key: SecretBytes
    ) throws(CryptographyError) -> SecretBytes {
        guard block.count == blockByteCount, key.count == AES256GCM.keyByteCount else {
            throw CryptographyError(.invalidLength, "AES-256 takes a 32-byte key and a 16-byte block")
        }
        let context = try unsafe CipherContext(FetchedAlgorithms.aes256ECB, "AES-256-ECB")
        try key.withBytes { key throws(CryptographyError) in
            try context.start(.encrypt, key: key)
        }
        unsafe EVP_CIPHER_CTX_set_padding(context.pointer, 0)
        return try SecretBytes(capacity: blockByteCount) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                try unsafe context.update(block, to: output)
                guard context.finish() else { throw .fromLibrary("EVP_CipherFinal_ex") }
                initialized = blockByteCount
            }
        }
    }
}
