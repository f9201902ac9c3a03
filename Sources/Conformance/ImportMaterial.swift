internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import SecureMemory

/// Key material as people bring it: right in every way, or wrong in one.
enum ImportMaterial {
    /// RSA keys are dear to make: one of each kind for all checks.
    private static let keys: [AsymmetricKeyKind: Result<PrivateKey, CryptographyError>] = {
        var keys: [AsymmetricKeyKind: Result<PrivateKey, CryptographyError>] = [:]
        for keySpec in KeySpec.allCases where keySpec.importRefusal == nil {
            guard let kind = keySpec.keyPairKind else { continue }
            keys[kind] = Result { () throws(CryptographyError) in try PrivateKey.generate(kind) }
        }
        return keys
    }()

    static func keyPair(_ kind: AsymmetricKeyKind) throws -> PrivateKey {
        guard let key = keys[kind] else { throw ConformanceFailure(description: "no \(kind.rawValue) key to import") }
        return try key.get()
    }

    /// - Parameter variant: other bytes for another number; key pairs have one variant.
    static func right(_ keySpec: KeySpec, variant: UInt8 = 1) throws -> SecretBytes {
        switch keySpec.materialForm {
        case .symmetric: SecretBytes(bytes(32, variant))
        case .mac(let algorithm): SecretBytes(bytes(algorithm.byteCount, variant))
        case .keyPair(let kind): try keyPair(kind).pkcs8()
        }
    }

    static func bytes(_ count: Int, _ variant: UInt8 = 1) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 13) &+ variant }
    }

    /// Material that unwraps and must not be taken.
    struct Wrong: Sendable {
        let name: String
        let keySpec: KeySpec
        let material: [UInt8]
        /// How a token parses keys of two primes that it unwraps itself is its own business: it may take this, as long
        /// as the key that comes of it is the right one.
        var isForTokenToJudge = false

        /// NSS unwraps no secret of more than 256 bytes, and no right material in one block is longer: such may as well
        /// not unwrap at all.
        var isTooLongForSome: Bool { material.count > 256 }
    }

    static func wrong() throws -> [Wrong] {
        let (p256, p384) = try (keyPair(.p256).pkcs8().revealed, keyPair(.p384).pkcs8().revealed)
        let rsa = try keyPair(.rsa2048).pkcs8().revealed
        let larger = try keyPair(.rsa3072).pkcs8().revealed
        var wrong = [31, 33, 16, 64, 1].map {
            Wrong(name: "\($0) bytes", keySpec: .symmetricDefault, material: bytes($0))
        }
        wrong += [16, 31, 33, 64].map { Wrong(name: "\($0) bytes", keySpec: .hmac256, material: bytes($0)) }
        wrong += [
            Wrong(name: "a private key", keySpec: .symmetricDefault, material: p256),
            Wrong(name: "another curve", keySpec: .eccNistP256, material: p384),
            Wrong(name: "another curve", keySpec: .eccNistP384, material: p256),
            Wrong(
                name: "another curve of the same size", keySpec: .eccNistP256,
                material: try keyPair(.secp256k1).pkcs8().revealed),
            Wrong(name: "explicit parameters", keySpec: .eccNistP256, material: try explicitCurve()),
            Wrong(name: "something after the key", keySpec: .eccNistP256, material: p256 + [0]),
            Wrong(name: "no end", keySpec: .eccNistP256, material: p256.dropLast()),
            Wrong(name: "a bare scalar", keySpec: .eccNistP256, material: bytes(32)),
            Wrong(name: "a public key", keySpec: .eccNistP256, material: try keyPair(.p256).publicKey.spki),
            Wrong(name: "an encrypted key", keySpec: .eccNistP256, material: encrypted(p256)),
            Wrong(
                name: "another's public part", keySpec: .eccNistP256,
                material: p256.dropLast(65) + (try PrivateKey.generate(.p256).publicKey.spki.suffix(65))),
            Wrong(name: "a curve", keySpec: .rsa2048, material: p256),
            Wrong(name: "an RSA key", keySpec: .eccNistP256, material: rsa),
            Wrong(name: "3072 bits", keySpec: .rsa2048, material: larger),
            Wrong(name: "2048 bits", keySpec: .rsa3072, material: rsa),
            Wrong(name: "a third prime", keySpec: .rsa2048, material: thirdPrime(rsa)),
            Wrong(name: "an encrypted key", keySpec: .rsa2048, material: encrypted(rsa)),
            Wrong(name: "something long after the key", keySpec: .rsa2048, material: rsa + bytes(40)),
            Wrong(name: "no end", keySpec: .rsa2048, material: rsa.dropLast()),
            Wrong(
                name: "a byte after the key", keySpec: .rsa2048, material: rsa + [0], isForTokenToJudge: true),
            Wrong(
                name: "a wrong coefficient", keySpec: .rsa2048,
                material: rsa.dropLast() + [rsa[rsa.count - 1] ^ 1], isForTokenToJudge: true),
        ]
        return wrong
    }

    // MARK: DER

    private static func element(_ tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
        let count = contents.count
        let length: [UInt8] =
            count < 128
            ? [UInt8(count)] : count < 256 ? [0x81, UInt8(count)] : [0x82, UInt8(count >> 8), UInt8(count & 255)]
        return [tag] + length + contents
    }

    private static func sequence(_ elements: [UInt8]...) -> [UInt8] { element(0x30, elements.flatMap { $0 }) }

    private static func bytes(hexadecimal digits: String) -> [UInt8] {
        let digits = Array(digits)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(digits[$0...$0 + 1]), radix: 16)
        }
    }

    /// A P-256 key that gives its curve by all its parameters (RFC 3279 §2.3.5; SP 800-186 §3.2.1.3).
    private static func explicitCurve() throws -> [UInt8] {
        let prime = bytes(hexadecimal: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff")
        let a = bytes(hexadecimal: "ffffffff00000001000000000000000000000000fffffffffffffffffffffffc")
        let b = bytes(hexadecimal: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b")
        let base = bytes(
            hexadecimal: "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                + "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
        let order = bytes(hexadecimal: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")
        let primeField: [UInt8] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x01, 0x01]
        let ecPublicKey: [UInt8] = [0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01]
        let parameters = sequence(
            [2, 1, 1], sequence(primeField, element(2, [0] + prime)), sequence(element(4, a), element(4, b)),
            element(4, base), element(2, [0] + order), [2, 1, 1])
        guard case .ellipticCurve(let scalar) = try keyPair(.p256).numbers() else {
            throw ConformanceFailure(description: "a P-256 key without a scalar")
        }
        let key = sequence([2, 1, 1], element(4, scalar.revealed))
        return sequence([2, 1, 0], sequence(ecPublicKey, parameters), element(4, key))
    }

    /// Looks like EncryptedPrivateKeyInfo (RFC 5208 §6) under PBES2.
    private static func encrypted(_ key: [UInt8]) -> [UInt8] {
        let pbes2: [UInt8] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d]
        return sequence(sequence(pbes2, sequence()), element(4, key))
    }

    /// The same key with a third prime after it (RFC 8017 §A.1.2, version 1).
    private static func thirdPrime(_ rsa: [UInt8]) -> [UInt8] {
        // version, rsaEncryption, and RSAPrivateKey in an octet string: 4 + 3 + 15 + 4 + 4 bytes of heads, then its
        // version.
        let numbers = Array(rsa.dropFirst(4 + 3 + 15 + 4 + 4 + 3))
        let prime = element(2, [0] + bytes(128, 129))
        let key = sequence([2, 1, 1], numbers, sequence(sequence(prime, prime, prime)))
        return sequence(
            [2, 1, 0],
            sequence([0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01], [5, 0]), element(4, key))
    }
}
