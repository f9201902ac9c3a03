import Conformance
import Cryptography
import KMSModel
import KeyStoreSoftware
import KeyStores
import Testing

/// Every key spec with every usage and every algorithm, the forbidden ones too.
@Suite struct KeyMatrixTests {
    private let store: SoftwareKeyStore

    init() throws { store = SoftwareKeyStore(rootKey: try RootKey(SystemRandom.secret(RootKey.byteCount))) }

    /// What libcrypto before 3.5 (ML-KEM-512), before 3.2 (Ed25519ph) or without Chinese algorithms lacks.
    private static func mayLack(_ algorithm: KeyAlgorithm, _ keySpec: KeySpec) -> Bool {
        keySpec == .mlKem512 || keySpec == .sm2 || algorithm == .signing(.ed25519PhSha512)
    }

    @Test(arguments: KeyKind.allowed)
    func `Every kind of key does all that the API lets it do`(kind: KeyKind) async throws {
        let outcomes = try await KeyKindConformance(kind).run(on: store)
        #expect(outcomes.map(\.algorithm) == kind.algorithms)
        #expect(!outcomes.isEmpty)
        for (algorithm, outcome) in outcomes {
            #expect(outcome == .passed || Self.mayLack(algorithm, kind.keySpec), "\(algorithm): \(outcome)")
        }
    }

    @Test(arguments: KeyKind.forbidden)
    func `A pair of spec and usage that the API does not know is refused`(kind: KeyKind) async throws {
        try await KeyKindConformance(kind).requireForbidden(on: store)
    }

    @Test func `An algorithm of another spec is refused`() {
        #expect(store.refusal(of: .signing(.ecdsaSha512), keySpec: .eccNistP256) != nil)
        #expect(store.refusal(of: .mac(.hmacSha256), keySpec: .hmac224) != nil)
        #expect(store.refusal(of: .keyAgreement(.ecdh), keySpec: .eccSecgP256k1) != nil)
        #expect(store.refusal(of: .encryption(.rsaesOaepSha1), keySpec: .symmetricDefault) != nil)
        #expect(KeyKind.allowed.count == 28)
    }
}
