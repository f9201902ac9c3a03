internal import CLibCrypto

/// Algorithms of libcrypto, fetched by name once per process.
///
/// A fetch takes locks and searches every provider; a context made from a fetched algorithm does neither. The objects
/// are never freed: they live as long as the process. Nil when the installed libcrypto does not offer the name.
///
/// The pointers are safe to share between threads: fetched algorithms are immutable and counted atomically
/// (OpenSSL 3, crypto(7), "ALGORITHM FETCHING"), and `hmacSHA256Template` is only ever copied from.
enum FetchedAlgorithms {
    nonisolated(unsafe) static let sha256: OpaquePointer? = unsafe EVP_MD_fetch(nil, "SHA2-256", nil)
    nonisolated(unsafe) static let aes256GCM: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
    nonisolated(unsafe) static let aes256ECB: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-256-ECB", nil)
    nonisolated(unsafe) static let kbkdf: OpaquePointer? = unsafe EVP_KDF_fetch(nil, "KBKDF", nil)

    /// An HMAC context that knows its digest but no key. Copying it is three times cheaper than naming the digest to a
    /// new context, which fetches it again.
    nonisolated(unsafe) static let hmacSHA256Template: OpaquePointer? = {
        guard let algorithm = unsafe EVP_MAC_fetch(nil, "HMAC", nil) else { return nil }
        guard let context = unsafe EVP_MAC_CTX_new(algorithm) else { return nil }
        let parameters = unsafe [clibcrypto_mac_digest_sha256(), OSSL_PARAM_construct_end()]
        guard unsafe EVP_MAC_CTX_set_params(context, parameters) == 1 else {
            unsafe EVP_MAC_CTX_free(context)
            return nil
        }
        return unsafe context
    }()

    /// The algorithm, or `unsupportedAlgorithm` naming what is missing.
    static func require(
        _ algorithm: OpaquePointer?, _ name: StaticString
    ) throws(CryptographyError) -> OpaquePointer {
        guard let algorithm = unsafe algorithm else {
            ERR_clear_error()
            throw CryptographyError(.unsupportedAlgorithm, "the installed libcrypto does not offer \(name)")
        }
        return unsafe algorithm
    }
}
