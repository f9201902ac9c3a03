internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import SecureMemory

/// One algorithm of one key, tried from all sides.
struct AlgorithmTrial {
    let store: any KeyStore
    let key: BackingKey
    /// Nil for secret keys.
    let publicKey: PublicKey?
    let kind: KeyKind

    func run(_ algorithm: KeyAlgorithm) async throws {
        switch algorithm {
        case .encryption(.symmetricDefault): try await encryptsAndDecrypts()
        case .encryption(let algorithm): try await decrypts(algorithm)
        case .signing(let algorithm): try await signs(algorithm)
        case .mac(let algorithm): try await authenticates(algorithm)
        case .keyAgreement: try await agrees()
        case .encapsulation: try await decapsulates()
        }
    }

    private static func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 11 &+ 5) }
    }

    /// The rest of symmetric encryption has checks of its own.
    private func encryptsAndDecrypts() async throws {
        let message = try await store.encrypt(SecretBytes(Self.bytes(100)), associatedData: [1], with: key)
        let opened = try await store.decrypt(message, associatedData: [1], with: key)
        try require(opened.revealed == Self.bytes(100), "100 bytes did not come back")
    }

    // MARK: Signing

    private func signs(_ algorithm: SigningAlgorithmSpec) async throws {
        let scheme = algorithm.scheme
        if algorithm == .ed25519PhSha512 {
            // The API takes a digest, and the scheme hashes it once more.
            let message = Self.bytes(10)
            let digest = try HashFunction.sha512.digest(message.span)
            let signature = try await store.sign(.digest(digest), algorithm: algorithm, with: key)
            try requireValid(signature, digest, .message, scheme, "a digest")
            try await requireWrongInput(.message([1]), algorithm)
            return
        }
        for count in [1, 2, 111, 4096] {
            let message = Self.bytes(count)
            let signature = try await store.sign(.message(message), algorithm: algorithm, with: key)
            try requireValid(signature, message, .message, scheme, "a message of \(count) bytes")
            try require(try !isValid(signature, message + [0], .message, scheme), "another message verifies too")
            var changed = signature
            changed[changed.count - 1] ^= 1
            try require(try !isValid(changed, message, .message, scheme), "a changed signature verifies")
        }
        try await signsOtherForms(algorithm, scheme)
        // Many, because r and s are sometimes short and sometimes have their top bit set: DER is easily got wrong.
        if case .ecdsa = scheme {
            for number in 0..<64 {
                let message = [UInt8(number)]
                let signature = try await store.sign(.message(message), algorithm: algorithm, with: key)
                try requireValid(signature, message, .message, scheme, "message \(number)")
            }
        }
    }

    private func signsOtherForms(_ algorithm: SigningAlgorithmSpec, _ scheme: SignatureScheme) async throws {
        if let hash = scheme.digest {
            let message = Self.bytes(20)
            let digest = try hash.digest(message.span)
            let signature = try await store.sign(.digest(digest), algorithm: algorithm, with: key)
            try requireValid(signature, digest, .digest, scheme, "a digest")
            if algorithm != .sm2dsa {
                try requireValid(signature, message, .message, scheme, "the message of a digest")
            }
        } else {
            try await requireWrongInput(.digest([UInt8](repeating: 3, count: 64)), algorithm)
        }
        let representative = [UInt8](repeating: 7, count: 64)
        guard algorithm == .mlDsaShake256 else {
            try await requireWrongInput(.externalMu(representative), algorithm)
            return
        }
        let signature = try await store.sign(.externalMu(representative), algorithm: algorithm, with: key)
        do {
            try requireValid(signature, representative, .representative, scheme, "a message representative")
        } catch let error as CryptographyError where error.code == .unsupportedAlgorithm {
            // Nothing here can verify it.
        }
    }

    private func requireWrongInput(_ input: SigningInput, _ algorithm: SigningAlgorithmSpec) async throws {
        try await requireError(.unsupportedAlgorithm, "another type of message") {
            _ = try await store.sign(input, algorithm: algorithm, with: key)
        }
    }

    private func requireValid(
        _ signature: [UInt8], _ bytes: [UInt8], _ form: SignedForm, _ scheme: SignatureScheme, _ what: String
    ) throws {
        try require(try isValid(signature, bytes, form, scheme), "the signature of \(what) does not verify")
    }

    private func isValid(
        _ signature: [UInt8], _ bytes: [UInt8], _ form: SignedForm, _ scheme: SignatureScheme
    ) throws -> Bool {
        guard let publicKey else { throw ConformanceFailure(description: "there is no public key to verify with") }
        return try publicKey.isValid(signature: signature.span, of: bytes.span, as: form, scheme)
    }

    // MARK: Decryption

    private func decrypts(_ algorithm: EncryptionAlgorithmSpec) async throws {
        guard let publicKey, let scheme = algorithm.scheme,
            let limit = scheme.maximumPlaintextByteCount(for: publicKey.kind)
        else { throw ConformanceFailure(description: "nothing encrypts to this key") }
        for count in [1, 2, 31, 32, 33, limit - 1, limit] {
            let ciphertext = try publicKey.encrypt(Self.bytes(count).span, scheme)
            let plaintext = try await store.decrypt(ciphertext, algorithm: algorithm, with: key)
            try require(plaintext.revealed == Self.bytes(count), "\(count) bytes did not come back")
        }
        let good = try publicKey.encrypt(Self.bytes(32).span, scheme)
        for (number, junk) in try junk(good, scheme, publicKey).enumerated() {
            try await requireError(.invalidCiphertext, "junk \(number)") {
                _ = try await store.decrypt(junk, algorithm: algorithm, with: key)
            }
        }
        let plaintext = try await store.decrypt(good, algorithm: algorithm, with: key)
        try require(plaintext.revealed == Self.bytes(32), "a good ciphertext does not decrypt after junk")
    }

    private func junk(_ good: [UInt8], _ scheme: EncryptionScheme, _ publicKey: PublicKey) throws -> [[UInt8]] {
        var junk: [[UInt8]] = [
            [], [0], Array(good.dropLast()), Array(good.dropFirst()), good + [0], [0] + good,
            [UInt8](repeating: 0, count: good.count), [UInt8](repeating: 0xFF, count: good.count),
            [UInt8](repeating: 0x42, count: 6_144),
        ]
        for position in [0, 1, good.count / 2, good.count - 1] {
            var changed = good
            changed[position] ^= 1
            junk.append(changed)
        }
        // The number one decrypts to itself, whatever the key: a block that is almost all zeros.
        junk.append([UInt8](repeating: 0, count: good.count - 1) + [1])
        if case .rsaOAEP(let hash) = scheme {
            // Right in everything but the hash.
            junk.append(try publicKey.encrypt([1, 2, 3].span, .rsaOAEP(hash == .sha1 ? .sha256 : .sha1)))
        }
        return junk
    }

    // MARK: Codes and secrets

    private func authenticates(_ algorithm: MacAlgorithmSpec) async throws {
        let byteCount: Int =
            switch algorithm {
            case .hmacSha224: 28
            case .hmacSha256: 32
            case .hmacSha384: 48
            case .hmacSha512: 64
            }
        var seen: Set<[UInt8]> = []
        for count in [1, 2, 63, 64, 65, 127, 128, 129, 4095, 4096] {
            let message = SecretBytes(Self.bytes(count))
            let code = try await store.authenticate(message, algorithm: algorithm, with: key)
            try require(code.count == byteCount, "the code has \(code.count) bytes")
            let again = try await store.authenticate(message, algorithm: algorithm, with: key)
            try require(again == code, "the code changes")
            try require(seen.insert(code).inserted, "two messages have one code")
        }
        let other = try await store.generateKey(ConformanceKeys.request(kind.keySpec, kind.usage))
        let code = try await store.authenticate(SecretBytes([1]), algorithm: algorithm, with: other)
        let fingerprints = (
            try await store.fingerprint(of: key).revealed, try await store.fingerprint(of: other).revealed
        )
        try await store.destroyKey(other.id)
        let own = try await store.authenticate(SecretBytes([1]), algorithm: algorithm, with: key)
        try require(code != own, "two keys have one code")
        try require(fingerprints.0 != fingerprints.1, "two keys have one fingerprint")
    }

    private func agrees() async throws {
        guard let publicKey else { throw ConformanceFailure(description: "there is no public key") }
        for _ in 0..<32 {
            let peer = try PrivateKey.generate(publicKey.kind)
            let expected = try peer.agree(with: publicKey).revealed
            let secret = try await store.deriveSharedSecret(publicKey: peer.publicKey.spki, with: key)
            try require(secret.revealed == expected, "the shared secret is not the peer's")
        }
    }

    private func decapsulates() async throws {
        guard let publicKey else { throw ConformanceFailure(description: "there is no public key") }
        let (expected, ciphertext) = try publicKey.encapsulate()
        let secret = try await store.decapsulate(ciphertext, with: key)
        try require(secret.revealed == expected.revealed, "the shared secret is another one")
        // FIPS 203 §6.3: implicit rejection.
        var changed = ciphertext
        changed[0] ^= 1
        let other = try await store.decapsulate(changed, with: key)
        try require(other.count == 32 && other.revealed != expected.revealed, "a changed ciphertext is not noticed")
        for wrong in [[], Array(ciphertext.dropLast()), ciphertext + [0]] {
            try await requireError(.invalidCiphertext, "\(wrong.count) bytes") {
                _ = try await store.decapsulate(wrong, with: key)
            }
        }
    }
}
