internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// One use of a private key, and the comparison of what comes out with the public half in software.
///
/// The probe learns by it what a token does, and every new pair goes through it once before it is acknowledged: two
/// halves that do not belong together would only be noticed when it is too late.
struct KeyTrial: Sendable {
    let form: KeyForm
    let publicKey: PublicKey
    let pointEncoding: SharedSecret.PointEncoding

    private static let message = Array("a message that strongroom signs to try a key".utf8)
    /// As long as a data key.
    private static let plaintext: [UInt8] = (0..<32).map { $0 &* 5 &+ 3 }

    /// Parses and checks what a token said about a public key; the library looks whether a point lies on its curve.
    static func publicKey(_ info: [UInt8], _ keySpec: KeySpec) throws(CryptographyError) -> PublicKey {
        guard let kind = keySpec.keyPairKind else { throw CryptographyError(.invalidKey, "the key has no public half") }
        return try PublicKey(spki: info, kind: kind)
    }

    /// - Parameter oaep: how to decrypt, for encryption algorithms.
    /// - Returns: nil when the answer is right, else what is wrong.
    func run(
        _ algorithm: KeyAlgorithm, oaep: TokenOAEP.Method, with key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> String? {
        switch algorithm {
        case .signing(let algorithm): try sign(algorithm, with: key, in: &session)
        case .encryption(let algorithm): try decrypt(algorithm, oaep, with: key, in: &session)
        case .keyAgreement: try agree(with: key, in: &session)
        case .mac, .encapsulation: "there is no such trial"
        }
    }

    private func sign(
        _ algorithm: SigningAlgorithmSpec, with key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> String? {
        let plan: TokenSignature
        do throws(KeyStoreError) {
            plan = try TokenSignature(.message(Self.message), algorithm: algorithm, form: form)
        } catch {
            return error.reason
        }
        guard let signature = try plan.make(with: key, in: &session) else {
            return "\(algorithm.rawValue): the token's answer does not have the form of a signature"
        }
        do {
            let message = Self.message
            let isRight = try publicKey.isValid(
                signature: signature.span, of: message.span, as: .message, algorithm.scheme)
            return isRight ? nil : "\(algorithm.rawValue): the signature does not verify"
        } catch {
            return "\(algorithm.rawValue): \(error)"
        }
    }

    private func decrypt(
        _ algorithm: EncryptionAlgorithmSpec, _ method: TokenOAEP.Method, with key: ObjectHandle,
        in session: inout Session
    ) throws(PKCS11Error) -> String? {
        guard let hash = TokenOAEP.hash(of: algorithm) else { return "\(algorithm.rawValue) is not for RSA keys" }
        let ciphertext: [UInt8]
        do {
            let plaintext = Self.plaintext
            ciphertext = try publicKey.encrypt(plaintext.span, .rsaOAEP(hash.algorithm))
        } catch {
            return "\(algorithm.rawValue): \(error)"
        }
        switch try TokenOAEP(hash: hash, method: method).decrypt(ciphertext, with: key, in: &session) {
        case .plaintext(let plaintext):
            let isRight = plaintext.withBytes { constantTimeEquals($0, Self.plaintext.span) }
            return isRight ? nil : "\(algorithm.rawValue): decrypts wrongly"
        case .invalid: return "\(algorithm.rawValue): what the public key encrypted does not decrypt"
        case .failure(let reason): return "\(algorithm.rawValue): \(reason)"
        }
    }

    /// With the base point on the other side, the shared secret is the key's own x coordinate.
    private func agree(with key: ObjectHandle, in session: inout Session) throws(PKCS11Error) -> String? {
        guard case .ec(let curve) = form, let point = PublicKeyInfo.point(of: publicKey.spki, on: curve) else {
            return "the key has no point"
        }
        guard
            let secret = try SharedSecret.derive(
                point: curve.basePoint, pointEncoding, curve: curve, key: key, in: &session)
        else { return "the shared secret is longer than the field" }
        let ownX = Array(point[1...curve.fieldByteCount])
        let isRight = secret.withBytes { constantTimeEquals($0, ownX.span) }
        return isRight ? nil : "the shared secret is not the x coordinate"
    }

    /// The answer to a ciphertext that is none; nil if the token takes it, or decodes it here.
    func junkAnswer(
        _ hash: MechanismHash, with key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> ReturnValue? {
        guard let modulus = PublicKeyInfo.modulus(of: publicKey.spki) else { return nil }
        // Less than the modulus, and decrypting to anything at all.
        var junk = [UInt8](repeating: 0x5A, count: modulus.count)
        junk[0] = 0
        do throws(PKCS11Error) {
            _ = try session.decrypt(junk.span, .rsaOAEP(hash: hash), key: key)
            return nil
        } catch {
            if error.function != .decrypt { throw error }
            return error.returnValue
        }
    }
}

extension Curve {
    /// The base point, uncompressed (SP 800-186 §3.2.1; SEC 2 §2.4.1).
    var basePoint: [UInt8] { KnownAnswers.bytes("04" + base) }

    private var base: String {
        switch self {
        case .p256:
            "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                + "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
        case .p384:
            "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7"
                + "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"
        case .p521:
            "00c6858e06b70404e9cd9e3ecb662395b4429c648139053fb521f828af606b4d3dbaa14b5e77efe75928fe1dc127a2ff"
                + "a8de3348b3c1856a429bf97e7e31c2e5bd66"
                + "011839296a789a3bc0045c8a5fb42c7d1bd998f54449579b446817afbd17273e662c97ee72995ef42640c550b9013fad"
                + "0761353c7086a272c24088be94769fd16650"
        case .secp256k1:
            "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                + "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
        }
    }
}
