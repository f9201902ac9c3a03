internal import CLibCrypto

/// SHA-256 (FIPS 180-4).
public enum SHA256 {
    /// Length of a digest.
    public static let byteCount = 32

    /// The 32-byte digest of `message`.
    public static func digest(_ message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
        let algorithm = try unsafe FetchedAlgorithms.require(FetchedAlgorithms.sha256, "SHA-256")
        var digest = [UInt8](repeating: 0, count: byteCount)
        let status = unsafe message.withUnsafeBufferPointer { message in
            unsafe digest.withUnsafeMutableBufferPointer { digest in
                unsafe EVP_Digest(message.baseAddress, message.count, digest.baseAddress, nil, algorithm, nil)
            }
        }
        guard status == 1 else { throw .fromLibrary("EVP_Digest") }
        return digest
    }

    /// The 32-byte digest of `message`.
    public static func digest(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try digest(message.span)
    }
}
