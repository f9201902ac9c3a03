internal import Cryptography
internal import KMSModel
internal import PKCS11
internal import SecureMemory

/// RSA-OAEP decryption with a key on a token.
struct TokenOAEP: Sendable {
    enum Method: Sendable, Hashable {
        /// CKM_RSA_PKCS_OAEP.
        case token
        /// CKM_RSA_X_509, and the decoding here. For keys that never sign: a bare operation is a signature too.
        case bareOperation
    }

    enum Answer: Sendable {
        case plaintext(SecretBytes)
        case invalid
        /// Not the caller's fault; the text says what.
        case failure(String)
    }

    let hash: MechanismHash
    let method: Method

    /// Nil for what is not RSA.
    static func hash(of algorithm: EncryptionAlgorithmSpec) -> MechanismHash? {
        switch algorithm {
        case .rsaesOaepSha1: .sha1
        case .rsaesOaepSha256: .sha256
        case .symmetricDefault, .sm2pke: nil
        }
    }

    /// Whether a ciphertext can be one for this key at all: as long as the modulus, and less than it (RFC 8017
    /// §7.1.2, step 1 and §5.1.2). Both are public. What cannot never reaches the token.
    static func hasForm(_ ciphertext: [UInt8], modulus: [UInt8]) -> Bool {
        ciphertext.count == modulus.count && ciphertext.lexicographicallyPrecedes(modulus)
    }

    func decrypt(
        _ ciphertext: [UInt8], with key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> Answer {
        switch method {
        case .token:
            return .plaintext(try session.decrypt(ciphertext.span, .rsaOAEP(hash: hash), key: key))
        case .bareOperation:
            let number = try session.decrypt(ciphertext.span, .rsaX509, key: key)
            guard number.count <= ciphertext.count else { return .failure("the bare RSA operation gave too much") }
            // Some tokens leave out leading zeros.
            let block = number.padded(to: ciphertext.count)
            do {
                return try OAEPDecoding.decode(block, hash: hash).map { .plaintext($0) } ?? .invalid
            } catch {
                return .failure("\(error)")
            }
        }
    }
}

extension SecretBytes {
    /// The same big-endian number in `byteCount` bytes, at least as many as it has.
    func padded(to byteCount: Int) -> SecretBytes {
        guard count < byteCount else { return self }
        return SecretBytes(capacity: byteCount) { output in
            withBytes { bytes in
                for _ in bytes.count..<byteCount { output.append(0) }
                for index in bytes.indices { output.append(bytes[index]) }
            }
        }
    }
}
