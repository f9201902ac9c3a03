internal import CLibCrypto
public import SecureMemory

/// HMAC with SHA-256 (FIPS 198-1, RFC 2104).
public enum HMACSHA256 {
    /// Length of a full, untruncated code.
    public static let byteCount = 32

    /// The 32-byte authentication code of `message` under a key of any length.
    public static func authenticate(
        _ message: Span<UInt8>, key: Span<UInt8>
    ) throws(CryptographyError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: byteCount)
        try unsafe code.withUnsafeMutableBufferPointer { output throws(CryptographyError) in
            try unsafe write(message, key: key, to: output)
        }
        return code
    }

    /// The 32-byte authentication code of `message` under a secret key of any length.
    public static func authenticate(
        _ message: Span<UInt8>, key: SecretBytes
    ) throws(CryptographyError) -> [UInt8] {
        try key.withBytes { key throws(CryptographyError) in try authenticate(message, key: key) }
    }

    /// The code as a secret, for chains in which each code is the next key (AWS Signature Version 4).
    public static func deriveKey(
        from message: Span<UInt8>, key: Span<UInt8>
    ) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(capacity: byteCount) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, count throws(CryptographyError) in
                try unsafe write(message, key: key, to: output)
                count = byteCount
            }
        }
    }

    /// `output` must hold at least `byteCount` bytes.
    private static func write(
        _ message: Span<UInt8>, key: Span<UInt8>, to output: UnsafeMutableBufferPointer<UInt8>
    ) throws(CryptographyError) {
        let template = try unsafe FetchedAlgorithms.require(FetchedAlgorithms.hmacSHA256Template, "HMAC-SHA-256")
        guard let context = unsafe EVP_MAC_CTX_dup(template) else { throw .fromLibrary("EVP_MAC_CTX_dup") }
        // Freeing clears the key schedule.
        defer { unsafe EVP_MAC_CTX_free(context) }
        let keyed = unsafe key.withUnsafeBufferPointer { key in
            // A null key would mean "keep the key of before": an empty key still needs an address.
            var none: UInt8 = 0
            return unsafe withUnsafePointer(to: &none) { none in
                unsafe EVP_MAC_init(context, key.baseAddress ?? none, key.count, nil)
            }
        }
        guard keyed == 1 else { throw .fromLibrary("EVP_MAC_init") }
        var written = 0
        let done = unsafe message.withUnsafeBufferPointer { message in
            guard unsafe message.isEmpty || EVP_MAC_update(context, message.baseAddress, message.count) == 1 else {
                return false
            }
            return unsafe EVP_MAC_final(context, output.baseAddress, &written, output.count) == 1
        }
        guard done, written == byteCount else { throw .fromLibrary("EVP_MAC_final") }
    }
}
