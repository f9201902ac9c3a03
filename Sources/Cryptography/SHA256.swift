/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    /// Length of a digest.
    public static let byteCount = 32

    /// The 32-byte digest of `message`.
    public static func digest(_ message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
        try HashFunction.sha256.digest(message)
    }

    /// The 32-byte digest of `message`.
    public static func digest(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try digest(message.span)
    }
}
