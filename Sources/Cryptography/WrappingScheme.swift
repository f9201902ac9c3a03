internal import CLibCrypto
public import SecureMemory

/// How key material is wrapped under a public key, so that only the holder of the private key takes it in.
public enum WrappingScheme: Sendable, Hashable {
    /// The material in one block (RFC 8017 §7.1), MGF1 with the same hash, empty label.
    case rsaOAEP(HashFunction)
    /// An AES key in one block of OAEP, and the material wrapped under it (`AESKeyWrap`) after that:
    /// CKM_RSA_AES_KEY_WRAP (PKCS#11 v3.1 §6.1.22).
    case rsaAESKeyWrap(HashFunction)
    /// SM2 public-key encryption.
    case sm2

    /// How the block under the public key is made.
    public var blockScheme: EncryptionScheme {
        switch self {
        case .rsaOAEP(let hash), .rsaAESKeyWrap(let hash): .rsaOAEP(hash)
        case .sm2: .sm2
        }
    }
}

extension PublicKey {
    /// Wraps key material.
    ///
    /// Errors: `invalidLength` for material that does not fit; `unsupportedAlgorithm` for a scheme that does not go
    /// with the key.
    public func wrap(_ material: SecretBytes, _ scheme: WrappingScheme) throws(CryptographyError) -> [UInt8] {
        guard case .rsaAESKeyWrap = scheme else {
            return try material.withBytes { material throws(CryptographyError) in
                try encrypt(material, scheme.blockScheme)
            }
        }
        let key = try SystemRandom.secret(AES256GCM.keyByteCount)
        return try key.withBytes { key throws(CryptographyError) in
            let block = try encrypt(key, scheme.blockScheme)
            let wrapped = try AESKeyWrap.wrap(material, key: key)
            return block + wrapped
        }
    }
}

extension PrivateKey {
    /// No wrapped material is longer (KMS API, ImportKeyMaterial: EncryptedKeyMaterial).
    private static let longestMaterial = 6_144

    /// The reverse of `PublicKey.wrap`. AES keys of 16 and 24 bytes in the block are taken too.
    ///
    /// Errors: `authenticationFailure` for everything that does not unwrap, without a difference;
    /// `unsupportedAlgorithm` for a scheme that does not go with the key.
    public func unwrap(_ wrapped: Span<UInt8>, _ scheme: WrappingScheme) throws(CryptographyError) -> SecretBytes {
        guard case .rsaAESKeyWrap(let hash) = scheme else {
            return try decrypt(wrapped, scheme.blockScheme, longestPlaintext: Self.longestMaterial)
        }
        guard let blockByteCount = kind.modulusByteCount else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not unwrap this way")
        }
        // Lengths are public.
        guard wrapped.count > blockByteCount, AESKeyWrap.isWrappedByteCount(wrapped.count - blockByteCount) else {
            throw .notAuthentic()
        }
        let decoy = try SystemRandom.secret(AES256GCM.keyByteCount)
        let block = try decryptKey(wrapped.extracting(..<blockByteCount), hash, orElse: decoy)
        return try block.withBytes { key throws(CryptographyError) in
            try AESKeyWrap.unwrap(wrapped.extracting(blockByteCount...), key: key)
        }
    }

    /// The AES key in a block, or `decoy` where there is none.
    ///
    /// Whoever could tell a block that is no OAEP from one that is could decrypt anything with a few thousand
    /// questions (Manger, CRYPTO 2001), so a wrong block is not noticed here: its random key fails later, at the one
    /// place where a wrong AES block fails too.
    private func decryptKey(
        _ block: Span<UInt8>, _ hash: HashFunction, orElse decoy: SecretBytes
    ) throws(CryptographyError) -> SecretBytes {
        guard let object else { throw Self.notOffered(kind) }
        return try object.decryptKey(block, .rsaOAEP(hash), orElse: decoy)
    }
}

extension KeyObject {
    /// See `PrivateKey.decryptKey`. Nothing here branches on whether the block was right.
    fileprivate func decryptKey(
        _ block: Span<UInt8>, _ scheme: EncryptionScheme, orElse decoy: SecretBytes
    ) throws(CryptographyError) -> SecretBytes {
        let context = try KeyContext.decrypting(with: self, scheme)
        var status: CInt = 0
        var count = block.count
        let decrypted = SecretBytes(capacity: block.count) { output in
            unsafe output.withUnsafeMutableBufferPointer { output, initialized in
                unsafe output.initialize(repeating: 0)
                status = unsafe block.withUnsafeBufferPointer {
                    unsafe EVP_PKEY_decrypt(context.pointer, output.baseAddress, &count, $0.baseAddress, $0.count)
                }
                initialized = output.count
            }
        }
        ERR_clear_error()
        let isKey =
            ConstantTime.mask(Int(status), equals: 1)
            & AESKeyWrap.keyByteCounts.reduce(0) {
                $0 | ConstantTime.mask(count, equals: $1)
            }
        let keyByteCount = Int(bitPattern: ConstantTime.select(isKey, UInt(bitPattern: count), UInt(decoy.count)))
        return SecretBytes(capacity: keyByteCount) { output in
            decrypted.withBytes { decrypted in
                decoy.withBytes { decoy in
                    for index in 0..<keyByteCount {
                        let byte = ConstantTime.select(isKey, UInt(decrypted[index]), UInt(decoy[index]))
                        output.append(UInt8(truncatingIfNeeded: byte))
                    }
                }
            }
        }
    }
}

/// Choices without branches.
private enum ConstantTime {
    /// All ones where the numbers are equal, else all zeros. Not inlined, so that nobody sees what it is used for.
    @inline(never)
    static func mask(_ left: Int, equals right: Int) -> UInt {
        let difference = UInt(bitPattern: left ^ right)
        // The top bit of `x | -x` is set unless x is zero.
        return ((difference | (0 &- difference)) >> (UInt.bitWidth - 1)) &- 1
    }

    static func select(_ mask: UInt, _ whenSet: UInt, _ whenClear: UInt) -> UInt {
        (whenSet & mask) | (whenClear & ~mask)
    }
}
