internal import CLibCrypto
internal import SecureMemory

/// One thing that an asymmetric key can do.
public enum AsymmetricOperation: Sendable, Hashable {
    /// Being made and kept.
    case generation
    /// Signing and verifying messages, and digests where the scheme takes them.
    case signature(SignatureScheme)
    /// ML-DSA over a message representative.
    case representativeSigning
    case representativeVerification
    case encryption(EncryptionScheme)
    case agreement
    case encapsulation

    /// All that could go with a kind of key, whether it is offered or not.
    public static func all(for kind: AsymmetricKeyKind) -> [AsymmetricOperation] {
        let hashes: [HashFunction] = [.sha256, .sha384, .sha512]
        let others: [AsymmetricOperation] =
            switch kind.family {
            case .rsa:
                hashes.flatMap { [.signature(.rsaPKCS1($0)), .signature(.rsaPSS($0))] }
                    + [.encryption(.rsaOAEP(.sha1)), .encryption(.rsaOAEP(.sha256))]
            case .ellipticCurve: hashes.map { .signature(.ecdsa($0)) } + [.agreement]
            case .ed25519: [.signature(.ed25519), .signature(.ed25519ph)]
            case .sm2: [.signature(.sm2), .encryption(.sm2), .agreement]
            case .mlDSA: [.signature(.mlDSA), .representativeSigning, .representativeVerification]
            case .mlKEM: [.encapsulation]
            }
        return [.generation] + others
    }
}

/// What the installed libcrypto and the built-in swift-crypto offer, decided by trying, once per process.
public struct AlgorithmAvailability: Sendable {
    /// The answer for this process. The first use tries everything: about a third of a second, most of it for an RSA
    /// key.
    public static let current = AlgorithmAvailability()

    /// Kinds and operations that were tried and work, or the reason why not.
    private let refusals: [AsymmetricKeyKind: [AsymmetricOperation: String]]

    /// Nil if keys of this kind can do this, else the reason why not, for people.
    public func refusal(of operation: AsymmetricOperation, for kind: AsymmetricKeyKind) -> String? {
        guard AsymmetricOperation.all(for: kind).contains(operation) else {
            return "\(kind.rawValue) keys are not made for this"
        }
        let refusals = refusals[kind] ?? [:]
        return refusals[.generation] ?? refusals[operation]
    }

    private init() {
        var refusals: [AsymmetricKeyKind: [AsymmetricOperation: String]] = [:]
        for kind in AsymmetricKeyKind.allCases where kind != .rsa3072 && kind != .rsa4096 {
            refusals[kind] = Self.refusals(of: kind)
        }
        // Another length of modulus is no other algorithm, and trying it would take seconds.
        refusals[.rsa3072] = refusals[.rsa2048]
        refusals[.rsa4096] = refusals[.rsa2048]
        self.refusals = refusals
    }

    private static func refusals(of kind: AsymmetricKeyKind) -> [AsymmetricOperation: String] {
        let key: PrivateKey
        do {
            // Forth and back through its encoding, as every kept key goes.
            key = try PrivateKey(pkcs8: PrivateKey.generate(kind).pkcs8(), kind: kind)
        } catch {
            return [.generation: error.reason]
        }
        var refusals: [AsymmetricOperation: String] = [:]
        for operation in AsymmetricOperation.all(for: kind) {
            do {
                guard try !works(operation, key) else { continue }
                refusals[operation] = "\(kind.rawValue) gives wrong answers for this with the installed libcrypto"
            } catch {
                refusals[operation] = error.reason
            }
        }
        return refusals
    }

    /// Does it forth and back.
    private static func works(_ operation: AsymmetricOperation, _ key: PrivateKey) throws(CryptographyError) -> Bool {
        let message = Array("strongroom availability".utf8)
        switch operation {
        case .generation:
            return true
        case .signature(let scheme):
            let signature = try key.sign(message.span, as: .message, scheme)
            let other = Array(message.dropLast())
            let right = try key.publicKey.isValid(signature: signature.span, of: message.span, as: .message, scheme)
            let wrong = try key.publicKey.isValid(signature: signature.span, of: other.span, as: .message, scheme)
            return right && !wrong
        case .representativeSigning:
            let representative = [UInt8](repeating: 1, count: PostQuantum.representativeByteCount)
            return try key.sign(representative.span, as: .representative, .mlDSA).count == key.kind.signatureByteCount
        case .representativeVerification:
            let representative = [UInt8](repeating: 1, count: PostQuantum.representativeByteCount)
            let signature = try key.sign(representative.span, as: .representative, .mlDSA)
            return try key.publicKey.isValid(
                signature: signature.span, of: representative.span, as: .representative, .mlDSA)
        case .encryption(let scheme):
            let ciphertext = try key.publicKey.encrypt(message.span, scheme)
            return try key.decrypt(ciphertext.span, scheme).withBytes { constantTimeEquals($0, message.span) }
        case .agreement:
            let peer = try PrivateKey.generate(key.kind)
            let secret = try peer.agree(with: key.publicKey)
            return try key.agree(with: peer.publicKey).withBytes { left in
                secret.withBytes { right in constantTimeEquals(left, right) }
            }
        case .encapsulation:
            let (secret, ciphertext) = try key.publicKey.encapsulate()
            return try key.decapsulate(ciphertext.span).withBytes { left in
                secret.withBytes { right in constantTimeEquals(left, right) }
            }
        }
    }
}

// What has to be known before keys can be made at all.
extension AlgorithmAvailability {
    /// The version of the installed libcrypto, for reports; nothing is decided by it.
    public static var libraryVersion: String {
        guard let text = unsafe OpenSSL_version(OPENSSL_VERSION_STRING) else { return "libcrypto" }
        return unsafe "libcrypto \(String(cString: text))"
    }

    /// ML-DSA and ML-KEM kinds that libcrypto itself offers: 3.5 and newer.
    private static let postQuantumOfLibcrypto: Set<AsymmetricKeyKind> = {
        var offered: Set<AsymmetricKeyKind> = []
        for kind in AsymmetricKeyKind.allCases {
            guard let prefix = kind.seedPrefix, let count = kind.seedByteCount else { continue }
            // A seed of nobody's key: enough to see whether the type is known.
            let der = prefix + [UInt8](repeating: 7, count: count)
            if (try? KeyObject.privateKey(der.span, kind)) != nil { offered.insert(kind) }
        }
        return offered
    }()

    /// Whether keys of this kind are worked with by the BoringSSL of swift-crypto: the installed libcrypto lacks them.
    public static func isLeftToSwiftCrypto(_ kind: AsymmetricKeyKind) -> Bool {
        kind.seedByteCount != nil && !postQuantumOfLibcrypto.contains(kind)
    }

    /// Nil where libcrypto signs as RFC 8032 §7.3 shows. An older one does not know the parameter that asks for
    /// Ed25519ph, ignores it, and signs as pure Ed25519: only a known answer tells.
    static let ed25519phRefusal: String? = {
        let seed: [UInt8] = [
            0x83, 0x3f, 0xe6, 0x24, 0x09, 0x23, 0x7b, 0x9d, 0x62, 0xec, 0x77, 0x58, 0x75, 0x20, 0x91, 0x1e,
            0x9a, 0x75, 0x9c, 0xec, 0x1d, 0x19, 0x75, 0x5b, 0x7d, 0xa9, 0x01, 0xb9, 0x6d, 0xca, 0x3d, 0x42,
        ]
        let expected: [UInt8] = [
            0x98, 0xa7, 0x02, 0x22, 0xf0, 0xb8, 0x12, 0x1a, 0xa9, 0xd3, 0x0f, 0x81, 0x3d, 0x68, 0x3f, 0x80,
            0x9e, 0x46, 0x2b, 0x46, 0x9c, 0x7f, 0xf8, 0x76, 0x39, 0x49, 0x9b, 0xb9, 0x4e, 0x6d, 0xae, 0x41,
            0x31, 0xf8, 0x50, 0x42, 0x46, 0x3c, 0x2a, 0x35, 0x5a, 0x20, 0x03, 0xd0, 0x62, 0xad, 0xf5, 0xaa,
            0xa1, 0x0b, 0x8c, 0x61, 0xe6, 0x36, 0x06, 0x2a, 0xaa, 0xd1, 0x1c, 0x2a, 0x26, 0x08, 0x34, 0x06,
        ]
        // RFC 8410 §7: version 0, id-Ed25519, an octet string in an octet string.
        let der: [UInt8] = [
            0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
        ]
        let message = Array("abc".utf8)
        let key = try? KeyObject.privateKey((der + seed).span, .ed25519)
        let signature = try? key?.sign(whole: message.span, .ed25519ph)
        return signature == expected
            ? nil : "Ed25519ph needs libcrypto 3.2 or newer; the installed one signs as pure Ed25519"
    }()
}
