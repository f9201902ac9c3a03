internal import CLibCrypto

/// A hash function of libcrypto: SHA-1 and SHA-2 (FIPS 180-4), SM3 (GB/T 32905).
public enum HashFunction: Sendable, Hashable, CaseIterable {
    /// For RSAES_OAEP_SHA_1 only, where collisions do not matter (RFC 8017 §B.1).
    case sha1
    case sha224
    case sha256
    case sha384
    case sha512
    case sm3

    /// Length of a digest.
    public var byteCount: Int {
        switch self {
        case .sha1: 20
        case .sha224: 28
        case .sha256, .sm3: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// The digest of `message`.
    ///
    /// Errors: `unsupportedAlgorithm` where the installed libcrypto lacks the function.
    public func digest(_ message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
        let algorithm = try unsafe self.algorithm
        var digest = [UInt8](repeating: 0, count: byteCount)
        let status = unsafe message.withUnsafeBufferPointer { message in
            unsafe digest.withUnsafeMutableBufferPointer { digest in
                unsafe EVP_Digest(message.baseAddress, message.count, digest.baseAddress, nil, algorithm, nil)
            }
        }
        guard status == 1 else { throw .fromLibrary("EVP_Digest") }
        return digest
    }

    /// The EVP_MD, or `unsupportedAlgorithm`.
    var algorithm: OpaquePointer {
        get throws(CryptographyError) {
            switch self {
            case .sha1: try unsafe FetchedAlgorithms.require(Self.fetchedSHA1, "SHA-1")
            case .sha224: try unsafe FetchedAlgorithms.require(Self.fetchedSHA224, "SHA-224")
            case .sha256: try unsafe FetchedAlgorithms.require(Self.fetchedSHA256, "SHA-256")
            case .sha384: try unsafe FetchedAlgorithms.require(Self.fetchedSHA384, "SHA-384")
            case .sha512: try unsafe FetchedAlgorithms.require(Self.fetchedSHA512, "SHA-512")
            case .sm3: try unsafe FetchedAlgorithms.require(Self.fetchedSM3, "SM3")
            }
        }
    }

    /// libcrypto's name.
    var libraryName: String {
        switch self {
        case .sha1: "SHA1"
        case .sha224: "SHA2-224"
        case .sha256: "SHA2-256"
        case .sha384: "SHA2-384"
        case .sha512: "SHA2-512"
        case .sm3: "SM3"
        }
    }

    // Never freed and never changed: see `FetchedAlgorithms`.
    private nonisolated(unsafe) static let fetchedSHA1 = unsafe EVP_MD_fetch(nil, HashFunction.sha1.libraryName, nil)
    private nonisolated(unsafe) static let fetchedSHA224 = unsafe EVP_MD_fetch(
        nil, HashFunction.sha224.libraryName, nil)
    private nonisolated(unsafe) static let fetchedSHA256 = unsafe EVP_MD_fetch(
        nil, HashFunction.sha256.libraryName, nil)
    private nonisolated(unsafe) static let fetchedSHA384 = unsafe EVP_MD_fetch(
        nil, HashFunction.sha384.libraryName, nil)
    private nonisolated(unsafe) static let fetchedSHA512 = unsafe EVP_MD_fetch(
        nil, HashFunction.sha512.libraryName, nil)
    private nonisolated(unsafe) static let fetchedSM3 = unsafe EVP_MD_fetch(nil, HashFunction.sm3.libraryName, nil)
}
