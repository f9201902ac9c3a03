import Cryptography
import SecureMemory
import Testing

/// Every kind does what it is for, forth and back, and nothing else.
@Suite struct AsymmetricOperationTests {
    private let message = Array("a message of some length".utf8)

    private static func schemes(_ kind: AsymmetricKeyKind) -> [SignatureScheme] {
        AsymmetricOperation.all(for: kind).compactMap {
            guard case .signature(let scheme) = $0,
                AlgorithmAvailability.current.refusal(of: $0, for: kind) == nil
            else { return nil }
            return scheme
        }
    }

    @Test(arguments: AsymmetricKeyKind.offered)
    func `A signature verifies for its message, scheme and key alone`(kind: AsymmetricKeyKind) throws {
        let key = try TestKeys.key(kind)
        let reopened = try PublicKey(spki: key.publicKey.spki, kind: kind)
        let stranger = try kind.family == .rsa ? nil : PrivateKey.generate(kind).publicKey
        for scheme in Self.schemes(kind) {
            for count in [1, 4_096] {
                let message = try SystemRandom.bytes(count)
                let signature = try key.sign(message, as: .message, scheme)
                try #expect(reopened.isValid(signature, of: message, as: .message, scheme), "\(scheme)")
                try #expect(!reopened.isValid(signature, of: message + [0], as: .message, scheme))
                try #expect(stranger?.isValid(signature, of: message, as: .message, scheme) != true)
                for other in [[], [0], Array(signature.dropLast()), signature + [0]] as [[UInt8]] {
                    try #expect(!reopened.isValid(other, of: message, as: .message, scheme))
                }
                for other in Self.schemes(kind) where other != scheme {
                    try #expect(!reopened.isValid(signature, of: message, as: .message, other), "\(scheme) as \(other)")
                }
            }
        }
    }

    @Test(arguments: AsymmetricKeyKind.offered)
    func `A digest is signed as its message is, in its length alone`(kind: AsymmetricKeyKind) throws {
        let key = try TestKeys.key(kind)
        for scheme in Self.schemes(kind) {
            guard let hash = scheme.digest else {
                #expect(throws: CryptographyError(.unsupportedAlgorithm, "")) {
                    _ = try key.sign([UInt8](repeating: 1, count: 64), as: .digest, scheme)
                }
                continue
            }
            let digest = try hash.digest(message)
            let signature = try key.sign(digest, as: .digest, scheme)
            try #expect(key.publicKey.isValid(signature, of: digest, as: .digest, scheme))
            // SM2 puts Z before the message (GB/T 32918.2 §5.5): the bare digest is another message.
            let isMessage = try key.publicKey.isValid(signature, of: message, as: .message, scheme)
            #expect(isMessage == (scheme != .sm2), "\(scheme)")
            for count in [0, 1, 20, hash.byteCount - 1, hash.byteCount + 1] {
                let wrong = [UInt8](repeating: 1, count: count)
                #expect(throws: CryptographyError(.invalidLength, "")) { _ = try key.sign(wrong, as: .digest, scheme) }
                #expect(throws: CryptographyError(.invalidLength, "")) {
                    _ = try key.publicKey.isValid(signature, of: wrong, as: .digest, scheme)
                }
            }
        }
    }

    @Test(arguments: AsymmetricKeyKind.offered)
    func `A key refuses what other kinds of key do`(kind: AsymmetricKeyKind) throws {
        let key = try TestKeys.key(kind)
        let unsupported = CryptographyError(.unsupportedAlgorithm, "")
        let own = AsymmetricOperation.all(for: kind)
        let everything = Set(AsymmetricKeyKind.allCases.flatMap(AsymmetricOperation.all))
        for operation in everything.subtracting(own) {
            #expect(AlgorithmAvailability.current.refusal(of: operation, for: kind) != nil)
            switch operation {
            case .signature(let scheme):
                #expect(throws: unsupported) { _ = try key.sign(message, as: .message, scheme) }
                #expect(throws: unsupported) {
                    _ = try key.publicKey.isValid([1], of: message, as: .message, scheme)
                }
            case .encryption(let scheme):
                #expect(throws: unsupported) { _ = try key.publicKey.encrypt(message, scheme) }
                #expect(throws: unsupported) { _ = try key.decrypt(message, scheme) }
            case .agreement: #expect(throws: unsupported) { _ = try key.agree(with: key.publicKey) }
            case .encapsulation:
                #expect(throws: unsupported) { _ = try key.publicKey.encapsulate() }
                #expect(throws: unsupported) { _ = try key.decapsulate(message) }
            case .representativeSigning, .representativeVerification:
                #expect(throws: unsupported) {
                    _ = try key.sign([UInt8](repeating: 1, count: 64), as: .representative, .mlDSA)
                }
            case .generation: break
            }
        }
    }

    @Test(arguments: [AsymmetricKeyKind.rsa2048, .rsa3072, .rsa4096, .sm2])
    func `A plaintext up to the limit comes back, a longer one is refused`(kind: AsymmetricKeyKind) throws {
        let key = try TestKeys.key(kind)
        let schemes: [EncryptionScheme] = kind == .sm2 ? [.sm2] : [.rsaOAEP(.sha1), .rsaOAEP(.sha256)]
        for scheme in schemes {
            let limit = try #require(scheme.maximumPlaintextByteCount(for: kind))
            for count in [1, 32, limit] {
                let plaintext = try SystemRandom.bytes(count)
                let ciphertext = try key.publicKey.encrypt(plaintext, scheme)
                try #expect(key.publicKey.encrypt(plaintext, scheme) != ciphertext)
                let opened = try key.decrypt(ciphertext, scheme)
                #expect(opened.holds(plaintext))
                var errors: Set<String> = []
                let changes: [[UInt8]] = [
                    [], [0], Array(ciphertext.dropLast()), ciphertext + [0], [0] + ciphertext,
                    [UInt8](repeating: 0xff, count: ciphertext.count), [UInt8](repeating: 0, count: ciphertext.count),
                    ciphertext.dropLast() + [ciphertext[ciphertext.count - 1] ^ 1],
                ]
                for changed in changes {
                    let error = #expect(throws: CryptographyError.self) { _ = try key.decrypt(changed, scheme) }
                    errors.insert("\(try #require(error))")
                }
                #expect(errors == ["authenticationFailure: the message does not verify"])
            }
            #expect(throws: CryptographyError(.invalidLength, "")) {
                _ = try key.publicKey.encrypt([UInt8](repeating: 1, count: limit + 1), scheme)
            }
        }
        // KMS API: 190 and 214 bytes for RSA_2048, and so on (RFC 8017 §7.1.1).
        let limits: [AsymmetricKeyKind: [Int?]] = [
            .rsa2048: [214, 190], .rsa3072: [342, 318], .rsa4096: [470, 446], .sm2: [1_024],
        ]
        #expect(schemes.map { $0.maximumPlaintextByteCount(for: kind) } == limits[kind])
    }

    @Test func `Another hash does not decrypt`() throws {
        let key = try TestKeys.key(.rsa2048)
        let ciphertext = try key.publicKey.encrypt(message, .rsaOAEP(.sha1))
        #expect(throws: CryptographyError(.authenticationFailure, "")) {
            _ = try key.decrypt(ciphertext, .rsaOAEP(.sha256))
        }
    }

    @Test(arguments: [AsymmetricKeyKind.p256, .p384, .p521, .secp256k1, .sm2])
    func `Two sides agree on one secret as long as the field`(kind: AsymmetricKeyKind) throws {
        let (own, peer, third) = try (TestKeys.key(kind), PrivateKey.generate(kind), PrivateKey.generate(kind))
        let secret = try own.agree(with: PublicKey(spki: peer.publicKey.spki, kind: kind))
        #expect(secret.count == kind.sharedSecretByteCount)
        try #expect(peer.agree(with: own.publicKey).holds(secret.copy))
        try #expect(!third.agree(with: own.publicKey).holds(secret.copy))
    }

    @Test(arguments: [AsymmetricKeyKind.mlKEM768, .mlKEM1024])
    func `An encapsulated secret comes back, another ciphertext gives another`(kind: AsymmetricKeyKind) throws {
        let key = try TestKeys.key(kind)
        let (secret, ciphertext) = try PublicKey(spki: key.publicKey.spki, kind: kind).encapsulate()
        #expect(secret.count == 32)
        #expect(ciphertext.count == kind.encapsulationByteCount)
        try #expect(key.decapsulate(ciphertext).holds(secret.copy))
        var changed = ciphertext
        changed[0] ^= 1
        let rejected = try key.decapsulate(changed)
        #expect(!rejected.holds(secret.copy))
        try #expect(key.decapsulate(changed).holds(rejected.copy))
        for wrong in [[], Array(ciphertext.dropLast()), ciphertext + [0]] {
            #expect(throws: CryptographyError(.invalidLength, "")) { _ = try key.decapsulate(wrong) }
        }
    }

    @Test(arguments: [AsymmetricKeyKind.mlDSA44, .mlDSA65, .mlDSA87])
    func `A message representative has 64 bytes`(kind: AsymmetricKeyKind) throws {
        let key = try TestKeys.key(kind)
        for count in [0, 32, 63, 65] {
            #expect(throws: CryptographyError(.invalidLength, "")) {
                _ = try key.sign([UInt8](repeating: 1, count: count), as: .representative, .mlDSA)
            }
        }
        let representative = [UInt8](repeating: 3, count: 64)
        let signature = try key.sign(representative, as: .representative, .mlDSA)
        if AlgorithmAvailability.current.refusal(of: .representativeVerification, for: kind) == nil {
            try #expect(key.publicKey.isValid(signature, of: representative, as: .representative, .mlDSA))
        } else {
            #expect(throws: CryptographyError(.unsupportedAlgorithm, "")) {
                _ = try key.publicKey.isValid(signature, of: representative, as: .representative, .mlDSA)
            }
        }
    }

    @Test func `What every libcrypto 3 and swift-crypto have is offered, and every refusal has a reason`() {
        let always: Set<AsymmetricKeyKind> = [
            .rsa2048, .rsa3072, .rsa4096, .p256, .p384, .p521, .secp256k1, .ed25519, .mlDSA44, .mlDSA65, .mlDSA87,
            .mlKEM768, .mlKEM1024,
        ]
        #expect(always.isSubset(of: AsymmetricKeyKind.offered))
        for kind in always {
            for operation in AsymmetricOperation.all(for: kind) {
                let reason = AlgorithmAvailability.current.refusal(of: operation, for: kind)
                let mayLack = [.signature(.ed25519ph), .representativeVerification].contains(operation)
                #expect(mayLack || reason == nil, "\(kind) \(operation): \(reason ?? "")")
                #expect(reason?.isEmpty != true)
            }
        }
    }

    // RFC 8017 §8.1.2, step 1. One signature in 256 begins with a zero.
    @Test(arguments: [SignatureScheme.rsaPSS(.sha256), .rsaPKCS1(.sha256)])
    func `An RSA signature without its leading zero is none`(scheme: SignatureScheme) throws {
        let key = try TestKeys.key(.rsa2048)
        var found: (message: [UInt8], signature: [UInt8])?
        for number in 0..<8192 where found == nil {
            let message = [UInt8(number >> 8), UInt8(number & 255)]
            let signature = try key.sign(message, as: .message, scheme)
            if signature[0] == 0 { found = (message, signature) }
        }
        let (message, signature) = try #require(found)
        #expect(try key.publicKey.isValid(signature, of: message, as: .message, scheme))
        #expect(try !key.publicKey.isValid(Array(signature.dropFirst()), of: message, as: .message, scheme))
        #expect(try !key.publicKey.isValid([0] + signature, of: message, as: .message, scheme))
    }

    @Test func `Many threads may use one key at once`() async throws {
        let keys = try [TestKeys.key(.rsa2048), TestKeys.key(.p256), TestKeys.key(.ed25519)]
        let schemes: [SignatureScheme] = [.rsaPSS(.sha256), .ecdsa(.sha256), .ed25519]
        let right = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<6 {
                group.addTask {
                    var right = 0
                    for round in 0..<20 {
                        let (key, scheme) = (keys[(task + round) % 3], schemes[(task + round) % 3])
                        let message = [UInt8(task), UInt8(round)]
                        let signature = try key.sign(message, as: .message, scheme)
                        right += try key.publicKey.isValid(signature, of: message, as: .message, scheme) ? 1 : 0
                    }
                    return right
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(right == 120)
    }
}
