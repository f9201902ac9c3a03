internal import CLibCrypto
internal import SecureMemory

/// One EVP_PKEY, freed with the last reference; freeing clears private parts.
///
/// Safe to share between threads: nothing changes a key after it was made, references are counted atomically, and
/// libcrypto guards what it caches inside (OpenSSL 3, openssl-threads(7)).
@safe
final class KeyObject: Sendable {
    nonisolated(unsafe) let pointer: OpaquePointer

    /// Takes over a reference.
    init(adopting pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe EVP_PKEY_free(pointer) }

    /// A new key pair.
    static func generate(_ kind: AsymmetricKeyKind) throws(CryptographyError) -> KeyObject {
        let context = try KeyContext(type: kind.libraryType)
        guard unsafe EVP_PKEY_keygen_init(context.pointer) == 1 else { throw unavailable(kind) }
        if let bytes = kind.modulusByteCount {
            guard unsafe EVP_PKEY_CTX_set_rsa_keygen_bits(context.pointer, CInt(bytes * 8)) == 1 else {
                throw unavailable(kind)
            }
        } else if let group = kind.libraryGroup, kind.family == .ellipticCurve {
            guard unsafe EVP_PKEY_CTX_set_group_name(context.pointer, group) == 1 else { throw unavailable(kind) }
        }
        var key: OpaquePointer?
        guard unsafe EVP_PKEY_generate(context.pointer, &key) == 1, let key = unsafe key else {
            throw .fromLibrary("EVP_PKEY_generate")
        }
        return unsafe KeyObject(adopting: key)
    }

    /// Parses PrivateKeyInfo and checks that it is a key of this kind.
    static func privateKey(_ der: Span<UInt8>, _ kind: AsymmetricKeyKind) throws(CryptographyError) -> KeyObject {
        let key = unsafe der.withUnsafeBufferPointer {
            unsafe clibcrypto_private_key_from_der($0.baseAddress, $0.count)
        }
        return try unsafe checked(key, kind)
    }

    /// Parses SubjectPublicKeyInfo and checks that it is a key of this kind.
    ///
    /// - Parameter prefix: how many bytes stand before the key itself, where they are known to be right.
    static func publicKey(
        _ der: Span<UInt8>, _ kind: AsymmetricKeyKind, prefix: Int?
    ) throws(CryptographyError) -> KeyObject {
        let key: OpaquePointer?
        if let prefix, let group = kind.libraryGroup {
            let point = der.extracting(prefix...)
            unsafe key = unsafe point.withUnsafeBufferPointer {
                unsafe clibcrypto_public_key_from_point(kind.libraryType, group, $0.baseAddress, $0.count)
            }
        } else if let prefix, kind == .ed25519 {
            let bytes = der.extracting(prefix...)
            unsafe key = unsafe bytes.withUnsafeBufferPointer {
                unsafe EVP_PKEY_new_raw_public_key_ex(nil, kind.libraryType, nil, $0.baseAddress, $0.count)
            }
        } else {
            unsafe key = unsafe der.withUnsafeBufferPointer {
                unsafe clibcrypto_public_key_from_der($0.baseAddress, $0.count)
            }
        }
        return try unsafe checked(key, kind)
    }

    private static func checked(
        _ key: OpaquePointer?, _ kind: AsymmetricKeyKind
    ) throws(CryptographyError) -> KeyObject {
        guard let key = unsafe key else { throw invalid(kind) }
        let object = unsafe KeyObject(adopting: key)
        guard unsafe EVP_PKEY_is_a(key, kind.libraryType) == 1 else { throw invalid(kind) }
        if let bytes = kind.modulusByteCount, unsafe EVP_PKEY_get_bits(key) != CInt(bytes * 8) { throw invalid(kind) }
        if kind.family == .rsa, unsafe clibcrypto_rsa_exponent_is_sound(key) != 1 { throw invalid(kind) }
        if let group = kind.libraryGroup, object.group != group { throw invalid(kind) }
        return object
    }

    /// The name of the curve; nil where there is none.
    private var group: String? {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { name in
            var count = 0
            guard unsafe EVP_PKEY_get_group_name(pointer, name.baseAddress, name.count, &count) == 1,
                let start = name.baseAddress
            else { return nil }
            return unsafe String(cString: start)
        }
    }

    /// A public number of the key by libcrypto's name for it (EVP_PKEY-RSA(7)), big-endian.
    func number(_ name: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: PublicKey.maximumByteCount)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe clibcrypto_key_number(pointer, name, $0.baseAddress, $0.count)
        }
        guard count > 0 else { return nil }
        return Array(bytes.prefix(count))
    }

    /// DER SubjectPublicKeyInfo.
    func publicDER() throws(CryptographyError) -> [UInt8] {
        var der = [UInt8](repeating: 0, count: PublicKey.maximumByteCount)
        let count = unsafe der.withUnsafeMutableBytes {
            unsafe clibcrypto_public_key_to_der(pointer, $0.baseAddress, $0.count)
        }
        guard count > 0 else { throw .fromLibrary("i2d_PUBKEY") }
        return Array(der.prefix(count))
    }

    /// DER PrivateKeyInfo.
    func privateDER() throws(CryptographyError) -> SecretBytes {
        try SecretBytes(capacity: PrivateKey.maximumByteCount) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, count throws(CryptographyError) in
                count = unsafe clibcrypto_private_key_to_der(pointer, output.baseAddress, output.count)
                guard count > 0 else { throw .fromLibrary("i2d_PKCS8_PRIV_KEY_INFO") }
            }
        }
    }

    /// Whether the parts of a key pair are sound and belong together. For RSA this tests primes: milliseconds.
    func isConsistent() -> Bool {
        guard let context = try? KeyContext(self) else { return false }
        let sound = unsafe EVP_PKEY_pairwise_check(context.pointer) == 1
        ERR_clear_error()
        return sound
    }

    /// What `isConsistent` does not look at: an RSA key has two primes, of which none can be guessed, and the curve of
    /// a key was given by its name and not by its parameters, which may differ in one place (CVE-2020-0601).
    func isOrdinary(_ kind: AsymmetricKeyKind) -> Bool {
        defer { ERR_clear_error() }
        return switch kind.family {
        case .rsa: unsafe clibcrypto_rsa_primes_are_sound(pointer) == 1
        case .ellipticCurve: unsafe clibcrypto_curve_is_named(pointer) == 1
        case .sm2, .ed25519, .mlDSA, .mlKEM: true
        }
    }

    /// Whether a public key is a point on its curve and not the point at infinity (SP 800-56A §5.6.2.3.4; the cofactor
    /// of all curves here is 1, which makes the partial check a full one).
    func isValidPoint() -> Bool {
        guard let context = try? KeyContext(self) else { return false }
        let valid = unsafe EVP_PKEY_public_check_quick(context.pointer) == 1
        ERR_clear_error()
        return valid
    }

    private static func invalid(_ kind: AsymmetricKeyKind) -> CryptographyError {
        ERR_clear_error()
        return CryptographyError(.invalidKey, "the bytes are not a \(kind.rawValue) key")
    }

    private static func unavailable(_ kind: AsymmetricKeyKind) -> CryptographyError {
        ERR_clear_error()
        return CryptographyError(.unsupportedAlgorithm, "the installed libcrypto does not offer \(kind.rawValue)")
    }
}

/// One EVP_PKEY_CTX for one operation.
@safe
struct KeyContext: ~Copyable {
    let pointer: OpaquePointer

    /// For work with a key. The context keeps its own reference to it.
    init(_ key: KeyObject) throws(CryptographyError) {
        guard let pointer = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil) else {
            throw .fromLibrary("EVP_PKEY_CTX_new_from_pkey")
        }
        unsafe self.pointer = pointer
    }

    /// For making a key of a type.
    init(type: String) throws(CryptographyError) {
        guard let pointer = unsafe EVP_PKEY_CTX_new_from_name(nil, type, nil) else {
            ERR_clear_error()
            throw CryptographyError(.unsupportedAlgorithm, "the installed libcrypto does not offer \(type)")
        }
        unsafe self.pointer = pointer
    }

    deinit { unsafe EVP_PKEY_CTX_free(pointer) }
}
