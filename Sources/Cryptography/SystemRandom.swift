internal import CLibCrypto
public import SecureMemory

/// Random bytes from libcrypto's generators (SP 800-90A DRBG, seeded and reseeded by the operating system).
public enum SystemRandom {
    /// Bytes that may become public: nonces, identifiers. 0...2^20 bytes.
    public static func bytes(_ count: Int) throws(CryptographyError) -> [UInt8] {
        try checkCount(count)
        var bytes = [UInt8](repeating: 0, count: count)
        let status = unsafe bytes.withUnsafeMutableBufferPointer {
            unsafe RAND_bytes_ex(nil, $0.baseAddress, $0.count, 0)
        }
        guard status == 1 || count == 0 else { throw .fromLibrary("RAND_bytes_ex") }
        return bytes
    }

    /// Bytes that stay secret: keys. From the private generator, so that what is published as a nonce says nothing
    /// about keys (RAND_priv_bytes(3)). 0...2^20 bytes.
    public static func secret(_ count: Int) throws(CryptographyError) -> SecretBytes {
        try checkCount(count)
        return try SecretBytes(capacity: count) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                guard count > 0 else { return }
                guard unsafe RAND_priv_bytes_ex(nil, output.baseAddress, count, 0) == 1 else {
                    throw .fromLibrary("RAND_priv_bytes_ex")
                }
                initialized = count
            }
        }
    }

    private static func checkCount(_ count: Int) throws(CryptographyError) {
        guard 0...1 << 20 ~= count else {
            throw CryptographyError(.invalidLength, "random byte count must be 0...1048576, not \(count)")
        }
    }
}
