internal import CLibCrypto

/// Algorithms of libcrypto, fetched by name once per process.
///
/// A fetch takes locks and searches every provider; a context made from a fetched algorithm does neither. The objects
/// are never freed: they live as long as the process. Nil when the installed libcrypto does not offer the name.
///
/// The pointers are safe to share between threads: fetched algorithms are immutable and counted atomically
/// (OpenSSL 3, crypto(7), "ALGORITHM FETCHING").
enum FetchedAlgorithms {
    nonisolated(unsafe) static let aes256GCM: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil)
    nonisolated(unsafe) static let aes256ECB: OpaquePointer? = unsafe EVP_CIPHER_fetch(nil, "AES-256-ECB", nil)
    nonisolated(unsafe) static let aes128WrapPad: OpaquePointer? = unsafe EVP_CIPHER_fetch(
        nil, "AES-128-WRAP-PAD", nil)
    nonisolated(unsafe) static let aes192WrapPad: OpaquePointer? = unsafe EVP_CIPHER_fetch(
        nil, "AES-192-WRAP-PAD", nil)
    nonisolated(unsafe) static let aes256WrapPad: OpaquePointer? = unsafe EVP_CIPHER_fetch(
        nil, "AES-256-WRAP-PAD", nil)
    nonisolated(unsafe) static let kbkdf: OpaquePointer? = unsafe EVP_KDF_fetch(nil, "KBKDF", nil)

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
