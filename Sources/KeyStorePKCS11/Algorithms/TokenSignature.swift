internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11

/// How one signature is made on a token: always on a digest made here, by the mechanisms that work everywhere. Few
/// tokens have CKM_ECDSA_SHA256 and its like, all have CKM_ECDSA, CKM_RSA_PKCS and CKM_RSA_PKCS_PSS.
struct TokenSignature: Sendable {
    private let mechanism: Mechanism
    /// What C_Sign gets.
    private let input: [UInt8]
    private let form: KeyForm

    /// Errors: `unsupportedAlgorithm` when keys of this form do not sign so, or not such an input.
    init(_ input: SigningInput, algorithm: SigningAlgorithmSpec, form: KeyForm) throws(KeyStoreError) {
        self.form = form
        guard let scheme = Self.scheme(algorithm, form) else {
            throw KeyStoreError(.unsupportedAlgorithm, "the key does not sign with \(algorithm.rawValue)")
        }
        switch scheme {
        case .pkcs1(let hash):
            mechanism = .rsaPKCS
            self.input = hash.digestInfo(try Self.digest(of: input, hash, algorithm))
        case .pss(let hash):
            mechanism = .rsaPSS(hash: hash, saltByteCount: hash.byteCount)
            self.input = try Self.digest(of: input, hash, algorithm)
        case .ecdsa(let hash):
            mechanism = .ecdsa
            self.input = try Self.digest(of: input, hash, algorithm)
        case .eddsa:
            guard case .message(let message) = input else { throw Self.wrongInput(algorithm) }
            mechanism = .eddsa
            self.input = message
        }
    }

    private enum Scheme {
        case pkcs1(MechanismHash), pss(MechanismHash), ecdsa(MechanismHash), eddsa
    }

    /// Nil when the algorithm is not one of this form, and for Ed25519ph: few tokens know its parameter, and none is
    /// known to hash a digest once more as the API does.
    private static func scheme(_ algorithm: SigningAlgorithmSpec, _ form: KeyForm) -> Scheme? {
        switch (form, algorithm) {
        case (.rsa, .rsassaPkcs1V15Sha256): .pkcs1(.sha256)
        case (.rsa, .rsassaPkcs1V15Sha384): .pkcs1(.sha384)
        case (.rsa, .rsassaPkcs1V15Sha512): .pkcs1(.sha512)
        case (.rsa, .rsassaPssSha256): .pss(.sha256)
        case (.rsa, .rsassaPssSha384): .pss(.sha384)
        case (.rsa, .rsassaPssSha512): .pss(.sha512)
        case (.ec(.p256), .ecdsaSha256), (.ec(.secp256k1), .ecdsaSha256): .ecdsa(.sha256)
        case (.ec(.p384), .ecdsaSha384): .ecdsa(.sha384)
        case (.ec(.p521), .ecdsaSha512): .ecdsa(.sha512)
        case (.ed25519, .ed25519Sha512): .eddsa
        default: nil
        }
    }

    private static func digest(
        of input: SigningInput, _ hash: MechanismHash, _ algorithm: SigningAlgorithmSpec
    ) throws(KeyStoreError) -> [UInt8] {
        switch input {
        case .message(let message):
            do {
                return try hash.digest(message)
            } catch {
                throw KeyStoreError(.internalFailure, "\(error)")
            }
        case .digest(let digest):
            guard digest.count == hash.byteCount else {
                throw KeyStoreError(.internalFailure, "a digest of \(digest.count) bytes instead of \(hash.byteCount)")
            }
            return digest
        case .externalMu:
            throw wrongInput(algorithm)
        }
    }

    private static func wrongInput(_ algorithm: SigningAlgorithmSpec) -> KeyStoreError {
        KeyStoreError(.unsupportedAlgorithm, "\(algorithm.rawValue) does not sign this type of message")
    }

    // MARK: On the token

    /// - Returns: nil when the token's answer cannot be a signature.
    func make(with key: ObjectHandle, in session: inout Session) throws(PKCS11Error) -> [UInt8]? {
        let output = try session.sign(input.span, mechanism, key: key)
        switch form {
        case .rsa(let modulusBits): return output.count == modulusBits / 8 ? output : nil
        case .ec(let curve): return ECDSASignature.der(output, byteCount: curve.fieldByteCount)
        case .ed25519: return output.count == 64 ? output : nil
        case .aes256, .hmac: return nil
        }
    }
}

/// An ECDSA signature: tokens and the API have it in different forms.
package enum ECDSASignature {
    /// r‖s as tokens give it (PKCS#11 v3.1 §6.3.1) to the SEQUENCE of two INTEGERs that the API gives (RFC 3279
    /// §2.2.3).
    ///
    /// - Parameter byteCount: the length of r and of s: that of the curve's order.
    /// - Returns: nil when the length is another one, or when r or s is zero.
    package static func der(_ signature: [UInt8], byteCount: Int) -> [UInt8]? {
        guard signature.count == 2 * byteCount else { return nil }
        let (r, s) = (signature.prefix(byteCount), signature.suffix(byteCount))
        guard r.contains(where: { $0 != 0 }), s.contains(where: { $0 != 0 }) else { return nil }
        return DER.sequence(DER.unsignedInteger(r), DER.unsignedInteger(s))
    }
}
