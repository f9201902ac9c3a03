internal import Cryptography
internal import KMSModel
public import KeyStores
internal import SecureMemory

/// What a key of one kind must do on every key store, the same for all: one key is made, does everything that the API
/// lets it do, and what it did is held against software that never saw its private half.
///
/// What a store refuses is asked of it and must then be refused by every door; the outcome carries the store's
/// own reason.
public struct KeyKindConformance: Sendable {
    public let kind: KeyKind

    public init(_ kind: KeyKind) {
        self.kind = kind
    }

    /// One outcome for each algorithm of the kind. Throws `ConformanceFailure`, or what the store threw where it must
    /// not throw.
    public func run(
        on store: any KeyStore
    ) async throws -> [(algorithm: KeyAlgorithm, outcome: KeyStoreConformance.Outcome)] {
        if let reason = store.refusal(of: kind.keySpec, usage: kind.usage) {
            try require(!reason.isEmpty, "refused without a reason")
            try await requireError(.unsupportedAlgorithm, "making a refused \(kind)") {
                _ = try await store.generateKey(ConformanceKeys.request(kind.keySpec, kind.usage))
            }
            return kind.algorithms.map { ($0, .notApplicable(reason)) }
        }
        try require(
            kind.algorithms.contains { store.refusal(of: $0, keySpec: kind.keySpec) == nil },
            "a key of which nothing can be done is not refused")
        let key = try await store.generateKey(ConformanceKeys.request(kind.keySpec, kind.usage))
        do {
            let outcomes = try await check(key, on: store)
            try await store.destroyKey(key.id)
            try await requireGone(key, store)
            return outcomes
        } catch {
            try? await store.destroyKey(key.id)
            throw error
        }
    }

    /// A pair of key spec and usage that the API does not know is refused.
    public func requireForbidden(on store: any KeyStore) async throws {
        try require(
            store.refusal(of: kind.keySpec, usage: kind.usage)?.isEmpty == false, "\(kind) is not refused")
        try await requireError(.unsupportedAlgorithm, "making a forbidden \(kind)") {
            _ = try await store.generateKey(ConformanceKeys.request(kind.keySpec, kind.usage))
        }
    }

    private func check(
        _ key: BackingKey, on store: any KeyStore
    ) async throws -> [(algorithm: KeyAlgorithm, outcome: KeyStoreConformance.Outcome)] {
        try require(key.keySpec == kind.keySpec, "the key has another spec")
        let publicKey = try publicKey(of: key)
        try await checkFingerprint(key, store)
        var outcomes: [(KeyAlgorithm, KeyStoreConformance.Outcome)] = []
        for algorithm in kind.algorithms {
            if let reason = store.refusal(of: algorithm, keySpec: kind.keySpec) {
                try require(!reason.isEmpty, "\(algorithm) is refused without a reason")
                try await requireRefused(algorithm, key, store)
                outcomes.append((algorithm, .notApplicable(reason)))
                continue
            }
            do {
                let trial = AlgorithmTrial(store: store, key: key, publicKey: publicKey, kind: kind)
                try await trial.run(algorithm)
            } catch let failure as ConformanceFailure {
                throw ConformanceFailure(description: "\(kind), \(algorithm): \(failure)")
            } catch {
                throw ConformanceFailure(description: "\(kind), \(algorithm): \(error)")
            }
            outcomes.append((algorithm, .passed))
        }
        // What is another spec's business is refused, whatever the key could do.
        let spec = KeyUsageType.allCases.flatMap { KeyKind(kind.keySpec, $0).algorithms }
        for algorithm in KeyKind.allAlgorithms where !spec.contains(algorithm) {
            try require(
                store.refusal(of: algorithm, keySpec: kind.keySpec)?.isEmpty == false,
                "\(algorithm) is not refused for \(kind)")
            try await requireRefused(algorithm, key, store)
        }
        return outcomes
    }

    private func publicKey(of key: BackingKey) throws -> PublicKey? {
        guard let pairKind = kind.keySpec.keyPairKind else {
            try require(key.publicKey == nil, "a secret key has a public key")
            return nil
        }
        guard let spki = key.publicKey else {
            throw ConformanceFailure(description: "\(kind): there is no public key")
        }
        // Parses, canonical DER, the right curve, and on it.
        return try PublicKey(spki: spki, kind: pairKind)
    }

    private func checkFingerprint(_ key: BackingKey, _ store: any KeyStore) async throws {
        let first = try await store.fingerprint(of: key).revealed
        let second = try await store.fingerprint(of: key)
        try require(!first.isEmpty && second.revealed == first, "\(kind): the fingerprint changes")
        if let publicKey = key.publicKey {
            try require(first == publicKey, "\(kind): the fingerprint of a pair is not its public key")
        }
    }

    private func requireGone(_ key: BackingKey, _ store: any KeyStore) async throws {
        // A store that keeps nothing has nothing to forget.
        guard let inventory = try await store.inventory() else { return }
        try require(!inventory.contains { $0.id == key.id }, "\(kind): something is left of a destroyed key")
        try await requireError(.keyNotFound, "\(kind): the fingerprint of a destroyed key") {
            _ = try await store.fingerprint(of: key)
        }
    }

    private func requireRefused(_ algorithm: KeyAlgorithm, _ key: BackingKey, _ store: any KeyStore) async throws {
        try await requireError(.unsupportedAlgorithm, "\(kind) doing \(algorithm)") {
            switch algorithm {
            case .encryption(.symmetricDefault):
                _ = try await store.encrypt(SecretBytes([1]), associatedData: [], with: key)
            case .encryption(let algorithm):
                _ = try await store.decrypt([UInt8](repeating: 1, count: 256), algorithm: algorithm, with: key)
            case .signing(let algorithm):
                _ = try await store.sign(.message([1]), algorithm: algorithm, with: key)
            case .mac(let algorithm):
                _ = try await store.authenticate(SecretBytes([1]), algorithm: algorithm, with: key)
            case .keyAgreement:
                _ = try await store.deriveSharedSecret(
                    publicKey: PrivateKey.generate(.p256).publicKey.spki, with: key)
            case .encapsulation:
                _ = try await store.decapsulate([UInt8](repeating: 1, count: 1_088), with: key)
            }
        }
    }
}

func require(_ condition: Bool, _ complaint: String) throws {
    guard condition else { throw ConformanceFailure(description: complaint) }
}

func requireError(
    _ code: KeyStoreError.Code, _ what: String, _ body: () async throws -> Void
) async throws {
    do {
        try await body()
    } catch let error as KeyStoreError {
        guard error.code == code else {
            throw ConformanceFailure(description: "\(what): \(error) instead of \(code.rawValue)")
        }
        return
    }
    throw ConformanceFailure(description: "\(what): no error instead of \(code.rawValue)")
}
