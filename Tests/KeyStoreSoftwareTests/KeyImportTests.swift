import Conformance
import Cryptography
import KMSModel
import KeyStoreSoftware
import KeyStores
import SecureMemory
import Testing

/// Key material from outside.
@Suite struct KeyImportTests {
    private let rootKey: RootKey
    private let store: SoftwareKeyStore

    init() throws {
        rootKey = try RootKey(SystemRandom.secret(RootKey.byteCount))
        store = SoftwareKeyStore(rootKey: rootKey)
    }

    @Test(arguments: KeyImportConformance.allowed)
    func `Material of every spec comes in and is what it was`(_ check: KeyImportConformance) async throws {
        let outcomes = try await check.run(on: store)
        #expect(Set(outcomes.map(\.keySpec)) == Set(check.keySpecs))
        for outcome in outcomes { #expect(outcome.outcome == .passed, "\(outcome.keySpec)") }
    }

    @Test(arguments: KeyImportConformance.algorithms)
    func `What must not come in does not`(_ check: KeyImportConformance) async throws {
        #expect(try await check.refuseWrongImports(on: store) > 50)
    }

    private func makeWrappingKey(
        _ spec: WrappingKeySpec = .rsa2048, _ algorithm: AlgorithmSpec = .rsaesOaepSha256, kmsKeyID: String = "key-1"
    ) async throws -> WrappingKey {
        try await store.makeWrappingKey(
            WrappingKeyGeneration(
                id: KeyGeneration.fresh().id, wrappingKeySpec: spec, wrappingAlgorithm: algorithm, kmsKeyID: kmsKeyID,
                label: "test"))
    }

    @Test(
        .enabled(
            if: AlgorithmAvailability.current.refusal(of: .encryption(.sm2), for: .sm2) == nil,
            "the installed libcrypto has no SM2"))
    func `SM2 wraps material in China Regions`() async throws {
        let wrappingKey = try await makeWrappingKey(.sm2, .sm2pke)
        let publicKey = try PublicKey(spki: wrappingKey.publicKey, kind: .sm2)
        let material = SecretBytes([UInt8](repeating: 9, count: 32))
        let wrapped = try publicKey.wrap(material, .sm2)
        let imported = try await store.importKey(
            KeyImport(key: .fresh(kmsKeyID: "key-1"), wrappedMaterial: wrapped, wrappingKey: wrappingKey))
        let message = try await store.encrypt(SecretBytes([1]), associatedData: [], with: imported.backingKey)
        let opened = try await store.decrypt(message, associatedData: [], with: imported.backingKey)
        #expect(opened.holds([1]))
        await #expect(throws: KeyStoreError(.invalidCiphertext, "")) {
            _ = try await store.importKey(
                KeyImport(key: .fresh(kmsKeyID: "key-1"), wrappedMaterial: wrapped + [0], wrappingKey: wrappingKey))
        }
    }

    @Test func `What the API does not know is refused`() async throws {
        for keySpec in [KeySpec.eccNistEdwards25519, .sm2, .mlDsa44, .mlKem768] {
            #expect(store.refusal(ofImporting: keySpec, usage: .signVerify) != nil)
        }
        #expect(store.refusal(ofImporting: .rsa2048, usage: .keyAgreement) != nil)
        #expect(store.refusal(ofWrapping: .rsaesPkcs1V15, .rsa2048) != nil)
        #expect(store.refusal(ofWrapping: .sm2pke, .rsa2048) != nil)
        #expect(store.refusal(ofWrapping: .rsaesOaepSha1, .sm2) != nil)
        await #expect(throws: KeyStoreError(.unsupportedAlgorithm, "")) {
            _ = try await makeWrappingKey(.rsa2048, .rsaesPkcs1V15)
        }
        let wrappingKey = try await makeWrappingKey()
        await #expect(throws: KeyStoreError(.unsupportedAlgorithm, "")) {
            _ = try await store.importKey(
                KeyImport(
                    key: .fresh(keySpec: .eccNistEdwards25519, keyUsage: .signVerify, kmsKeyID: "key-1"),
                    wrappedMaterial: [1], wrappingKey: wrappingKey))
        }
    }

    @Test func `A wrapping key serves its own KMS key and algorithm, also after a restart, and no other`() async throws
    {
        let own = try await makeWrappingKey()
        let other = try await makeWrappingKey()
        let publicKey = try PublicKey(spki: own.publicKey, kind: .rsa2048)
        let material = SecretBytes([UInt8](repeating: 9, count: 32))
        let wrapped = try publicKey.wrap(material, .rsaOAEP(.sha256))
        let reopened = SoftwareKeyStore(rootKey: rootKey)
        let key = KeyGeneration.fresh(kmsKeyID: "key-1")
        let imported = try await reopened.importKey(
            KeyImport(key: key, wrappedMaterial: wrapped, wrappingKey: own))
        #expect(imported.backingKey.id == key.id)
        #expect(imported.path.exposesMaterialToHost)

        func forged(
            _ change: (inout (spec: WrappingKeySpec, algorithm: AlgorithmSpec, kmsKeyID: String, reference: [UInt8]))
                -> Void
        ) -> WrappingKey {
            var parts = (
                spec: own.wrappingKeySpec, algorithm: own.wrappingAlgorithm, kmsKeyID: own.kmsKeyID,
                reference: own.reference
            )
            change(&parts)
            return WrappingKey(
                id: own.id, wrappingKeySpec: parts.spec, wrappingAlgorithm: parts.algorithm, kmsKeyID: parts.kmsKeyID,
                reference: parts.reference, publicKey: own.publicKey)
        }
        let forgeries: [(WrappingKey, KeyStoreError.Code)] = [
            (forged { $0.kmsKeyID = "key-2" }, .internalFailure),
            (forged { $0.algorithm = .rsaesOaepSha1 }, .internalFailure),
            (forged { $0.spec = .rsa3072 }, .internalFailure),
            (forged { $0.reference = other.reference }, .internalFailure),
            (forged { $0.reference[40] ^= 1 }, .internalFailure),
            (forged { $0.reference = [] }, .keyNotFound),
            (forged { $0.reference[0] = 9 }, .keyNotFound),
        ]
        for (wrappingKey, code) in forgeries {
            let key = KeyGeneration.fresh(kmsKeyID: wrappingKey.kmsKeyID)
            await #expect(throws: KeyStoreError(code, "")) {
                _ = try await store.importKey(
                    KeyImport(key: key, wrappedMaterial: wrapped, wrappingKey: wrappingKey))
            }
        }
        await #expect(throws: KeyStoreError(.internalFailure, "")) {
            _ = try await store.importKey(
                KeyImport(key: .fresh(kmsKeyID: "key-2"), wrappedMaterial: wrapped, wrappingKey: own))
        }
    }
}
