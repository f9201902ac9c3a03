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
            try unsafe MessageAuthentication.write(message, key: key, .hmacSHA256, to: output)
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
                try unsafe MessageAuthentication.write(message, key: key, .hmacSHA256, to: output)
                count = byteCount
            }
        }
    }
}
