internal import Cryptography
public import KMSModel
public import KeyStores
internal import SecureMemory

/// What every key store must do with key material from outside, the same for all: a wrapping key is made, material of
/// every spec that the API lets wrap this way is wrapped in software under its public half, and what comes of it is
/// held against the same material in software.
public struct KeyImportConformance: Hashable, Sendable, CustomStringConvertible {
    public let algorithm: AlgorithmSpec
    public let wrappingKeySpec: WrappingKeySpec

    public init(_ algorithm: AlgorithmSpec, _ wrappingKeySpec: WrappingKeySpec) {
        self.algorithm = algorithm
        self.wrappingKeySpec = wrappingKeySpec
    }

    public var description: String { "\(algorithm.rawValue) under \(wrappingKeySpec.rawValue)" }

    /// Every way of wrapping outside of China Regions.
    public static let allowed: [KeyImportConformance] = [
        AlgorithmSpec.rsaesOaepSha256, .rsaesOaepSha1, .rsaAesKeyWrapSha256, .rsaAesKeyWrapSha1,
    ].flatMap { algorithm in
        [WrappingKeySpec.rsa2048, .rsa3072, .rsa4096].map { KeyImportConformance(algorithm, $0) }
    }

    /// Each algorithm once.
    public static let algorithms = allowed.filter { $0.wrappingKeySpec == .rsa2048 }

    /// What the API lets wrap this way (KMS developer guide, "Importing key material, step 2", and what fits).
    public var keySpecs: [KeySpec] {
        let secret: [KeySpec] = [.symmetricDefault, .hmac224, .hmac256, .hmac384, .hmac512]
        let curves: [KeySpec] = [.eccNistP256, .eccNistP384, .eccNistP521, .eccSecgP256k1]
        switch algorithm {
        case .rsaAesKeyWrapSha1, .rsaAesKeyWrapSha256: return secret + curves + [.rsa2048, .rsa3072, .rsa4096]
        default: return secret + curves.filter { $0 != .eccNistP521 || wrappingKeySpec != .rsa2048 }
        }
    }

    /// How one import went.
    public struct Outcome: Sendable {
        public let keySpec: KeySpec
        public let usage: KeyUsageType
        public let outcome: KeyStoreConformance.Outcome
        /// Nil where nothing was imported.
        public let path: ImportPath?
    }

    /// One outcome for each spec. Throws `ConformanceFailure`, or what the store threw where it must not throw.
    public func run(on store: any KeyStore) async throws -> [Outcome] {
        try await withWrappingKey(on: store) { wrappingKey in
            var outcomes: [Outcome] = []
            for keySpec in keySpecs {
                for usage in KeyUsageType.allCases where !keySpec.algorithms(for: usage).isEmpty {
                    // All usages once; how the material came in makes no difference to what it does.
                    guard outcomes.last?.keySpec != keySpec || wrappingKeySpec == .rsa2048 else { continue }
                    do {
                        outcomes.append(try await check(keySpec, usage, wrappingKey, store))
                    } catch {
                        throw ConformanceFailure(description: "\(keySpec.rawValue) by \(self): \(error)")
                    }
                }
            }
            return outcomes
        }
    }

    // MARK: One import

    private func check(
        _ keySpec: KeySpec, _ usage: KeyUsageType, _ wrappingKey: WrappingKey, _ store: any KeyStore
    ) async throws -> Outcome {
        let wrapped = try wrap(ImportMaterial.right(keySpec), wrappingKey)
        if let reason = store.refusal(ofImporting: keySpec, usage: usage) {
            try require(!reason.isEmpty, "refused without a reason")
            try await requireError(.unsupportedAlgorithm, "importing what is refused") {
                _ = try await importKey(wrapped, keySpec, usage, wrappingKey, store)
            }
            return Outcome(keySpec: keySpec, usage: usage, outcome: .notApplicable(reason), path: nil)
        }
        let imported = try await importKey(wrapped, keySpec, usage, wrappingKey, store)
        let key = imported.backingKey
        do {
            try await hold(key, usage, against: store)
            try await checkFingerprints(key, usage, wrappingKey, store)
            try require(!imported.path.description.isEmpty, "nobody knows how it came in")
        } catch {
            try? await store.destroyKey(key.id)
            throw error
        }
        try await store.destroyKey(key.id)
        if let inventory = try await store.inventory() {
            try require(!inventory.contains { $0.id == key.id }, "something is left of a destroyed key")
        }
        return Outcome(keySpec: keySpec, usage: usage, outcome: .passed, path: imported.path)
    }

    /// The imported key against the same material in software.
    private func hold(_ key: BackingKey, _ usage: KeyUsageType, against store: any KeyStore) async throws {
        if let inventory = try await store.inventory() {
            try require(inventory.contains { $0.id == key.id }, "the key is not listed")
        }
        let publicKey = try key.keySpec.keyPairKind.map { try ImportMaterial.keyPair($0).publicKey }
        try require(key.publicKey == publicKey?.spki, "the public key is another one")
        let material = try ImportMaterial.right(key.keySpec)
        switch key.keySpec.materialForm {
        case .symmetric:
            let message = try await store.encrypt(SecretBytes([1, 2, 3]), associatedData: [4], with: key)
            if store.ciphertextSuite == .directAES256GCM {
                let opened = try AES256GCM.open(
                    ciphertext: message.ciphertext.span, tag: message.tag.span, key: material, iv: message.iv.span,
                    associatedData: [4].span)
                try require(opened.revealed == [1, 2, 3], "the key encrypts as another one")
            }
            let opened = try await store.decrypt(message, associatedData: [4], with: key)
            try require(opened.revealed == [1, 2, 3], "the key does not decrypt")
            let block = Array("strongroom-f".utf8) + [0xff, 0xff, 0xff, 0xff]
            let expected = try AES256ECB.encryptBlock(block.span, key: material)
            let fingerprint = try await store.fingerprint(of: key)
            try require(fingerprint.revealed == expected.revealed, "the key is another one")
        case .mac(let algorithm):
            let message = ImportMaterial.bytes(100)
            let expected = try algorithm.authenticate(message.span, key: material)
            guard case .mac(let name)? = key.keySpec.algorithms(for: usage).first else { return }
            let code = try await store.authenticate(SecretBytes(message), algorithm: name, with: key)
            try require(code == expected, "the key makes other codes")
        case .keyPair:
            let kind = KeyKind(key.keySpec, usage)
            // Everything once for each spec, and one thing every time.
            let isThorough = wrappingKeySpec == .rsa2048 && algorithm == .rsaAesKeyWrapSha256
            for algorithm in isThorough ? kind.algorithms : Array(kind.algorithms.prefix(1)) {
                guard store.refusal(of: algorithm, keySpec: key.keySpec) == nil else { continue }
                try await AlgorithmTrial(store: store, key: key, publicKey: publicKey, kind: kind).run(algorithm)
            }
        }
    }

    /// The same bytes have one fingerprint, and others another.
    private func checkFingerprints(
        _ key: BackingKey, _ usage: KeyUsageType, _ wrappingKey: WrappingKey, _ store: any KeyStore
    ) async throws {
        let first = try await store.fingerprint(of: key).revealed
        if let publicKey = key.publicKey {
            try require(first == publicKey, "the fingerprint of a pair is not its public key")
            // Which was held against the material already; and a second test of an RSA key's primes takes its time.
            guard key.keySpec.keyPairKind?.family != .rsa else { return }
        }
        for variant: UInt8 in key.keySpec.keyPairKind == nil ? [1, 2] : [1] {
            let wrapped = try wrap(ImportMaterial.right(key.keySpec, variant: variant), wrappingKey)
            let other = try await importKey(wrapped, key.keySpec, usage, wrappingKey, store).backingKey
            let second = try await store.fingerprint(of: other)
            try await store.destroyKey(other.id)
            try require((second.revealed == first) == (variant == 1), "fingerprints do not tell material apart")
        }
    }
}

// MARK: Steps

extension KeyImportConformance {
    func withWrappingKey<R>(
        on store: any KeyStore, _ body: (WrappingKey) async throws -> R
    ) async throws -> R {
        if let reason = store.refusal(ofWrapping: algorithm, wrappingKeySpec) {
            throw ConformanceFailure(description: "\(self) is refused: \(reason)")
        }
        let id = ConformanceKeys.request().id
        let wrappingKey = try await store.makeWrappingKey(
            WrappingKeyGeneration(
                id: id, wrappingKeySpec: wrappingKeySpec, wrappingAlgorithm: algorithm,
                kmsKeyID: ConformanceKeys.request().kmsKeyID, label: ConformanceKeys.label))
        let result: R
        do {
            if let inventory = try await store.inventory() {
                try require(inventory.contains { $0.id == id }, "the wrapping key is not listed")
            }
            result = try await body(wrappingKey)
        } catch {
            try? await store.destroyKey(id)
            throw error
        }
        try await store.destroyKey(id)
        // A store that keeps nothing has nothing to forget.
        guard let inventory = try await store.inventory() else { return result }
        try require(!inventory.contains { $0.id == id }, "something is left of a destroyed wrapping key")
        let wrapped = try wrap(ImportMaterial.right(.symmetricDefault), wrappingKey)
        try await requireError(.keyNotFound, "a destroyed wrapping key") {
            _ = try await importKey(wrapped, .symmetricDefault, .encryptDecrypt, wrappingKey, store)
        }
        return result
    }

    func wrap(_ material: SecretBytes, _ wrappingKey: WrappingKey, as other: AlgorithmSpec? = nil) throws -> [UInt8] {
        let publicKey = try PublicKey(spki: wrappingKey.publicKey, kind: wrappingKey.wrappingKeySpec.keyPairKind)
        guard let scheme = (other ?? algorithm).scheme else {
            throw ConformanceFailure(description: "\(algorithm.rawValue) does not wrap")
        }
        return try publicKey.wrap(material, scheme)
    }

    func importKey(
        _ wrapped: [UInt8], _ keySpec: KeySpec, _ usage: KeyUsageType, _ wrappingKey: WrappingKey,
        _ store: any KeyStore
    ) async throws -> ImportedKey {
        try await store.importKey(
            KeyImport(
                key: ConformanceKeys.request(keySpec, usage), wrappedMaterial: wrapped, wrappingKey: wrappingKey))
    }
}
