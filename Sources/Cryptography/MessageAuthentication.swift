internal import CLibCrypto
public import SecureMemory

/// HMAC (FIPS 198-1, RFC 2104) with the hash functions of SHA-2. Codes are whole, never truncated.
public enum MessageAuthentication: Sendable, Hashable, CaseIterable {
    case hmacSHA224
    case hmacSHA256
    case hmacSHA384
    case hmacSHA512

    public var hash: HashFunction {
        switch self {
        case .hmacSHA224: .sha224
        case .hmacSHA256: .sha256
        case .hmacSHA384: .sha384
        case .hmacSHA512: .sha512
        }
    }

    /// Length of a code.
    public var byteCount: Int { hash.byteCount }

    /// The code of `message` under a secret key of any length.
    public func authenticate(_ message: Span<UInt8>, key: SecretBytes) throws(CryptographyError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: byteCount)
        try unsafe code.withUnsafeMutableBufferPointer { output throws(CryptographyError) in
            try key.withBytes { key throws(CryptographyError) in
                try unsafe Self.write(message, key: key, self, to: output)
            }
        }
        return code
    }

    /// `output` must hold at least `algorithm.byteCount` bytes.
    static func write(
        _ message: Span<UInt8>, key: Span<UInt8>, _ algorithm: Self, to output: UnsafeMutableBufferPointer<UInt8>
    ) throws(CryptographyError) {
        let template = try unsafe FetchedAlgorithms.require(algorithm.template, "HMAC with SHA-2")
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
        guard done, written == algorithm.byteCount else { throw .fromLibrary("EVP_MAC_final") }
    }

    /// A context that knows its digest but no key, only ever copied from, and so safe to share between threads.
    /// Copying it is three times cheaper than naming the digest to a new context, which fetches it again.
    private var template: OpaquePointer? {
        switch self {
        case .hmacSHA224: unsafe Self.templateSHA224
        case .hmacSHA256: unsafe Self.templateSHA256
        case .hmacSHA384: unsafe Self.templateSHA384
        case .hmacSHA512: unsafe Self.templateSHA512
        }
    }

    private nonisolated(unsafe) static let templateSHA224 = unsafe makeTemplate(.sha224)
    private nonisolated(unsafe) static let templateSHA256 = unsafe makeTemplate(.sha256)
    private nonisolated(unsafe) static let templateSHA384 = unsafe makeTemplate(.sha384)
    private nonisolated(unsafe) static let templateSHA512 = unsafe makeTemplate(.sha512)

    private static func makeTemplate(_ hash: HashFunction) -> OpaquePointer? {
        guard let algorithm = unsafe EVP_MAC_fetch(nil, "HMAC", nil) else { return nil }
        // The context keeps its own reference.
        defer { unsafe EVP_MAC_free(algorithm) }
        guard let context = unsafe EVP_MAC_CTX_new(algorithm) else { return nil }
        let status = unsafe hash.libraryName.withCString { name in
            unsafe EVP_MAC_CTX_set_params(context, [clibcrypto_mac_digest(name), OSSL_PARAM_construct_end()])
        }
        guard status == 1 else {
            unsafe EVP_MAC_CTX_free(context)
            return nil
        }
        return unsafe context
    }
}
