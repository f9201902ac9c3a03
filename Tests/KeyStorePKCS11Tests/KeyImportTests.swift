internal import Conformance
internal import Cryptography
internal import KMSModel
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Testing

/// Key material from outside, on both modules and by every way that the probe can choose.
@Suite struct KeyImportTests {
    /// Imports and refuses everything, and says how material came in.
    static func check(
        _ check: KeyImportConformance, _ store: any KeyStore, refused: Set<KeySpec>
    ) async throws -> [KeySpec: ImportPath] {
        var paths: [KeySpec: ImportPath] = [:]
        for outcome in try await check.run(on: store) {
            if case .notApplicable(let reason) = outcome.outcome {
                #expect(refused.contains(outcome.keySpec), "\(outcome.keySpec): \(reason)")
            } else {
                #expect(!refused.contains(outcome.keySpec), "\(outcome.keySpec) works")
            }
            paths[outcome.keySpec] = outcome.path
        }
        #expect(Set(paths.keys).union(refused).isSuperset(of: check.keySpecs))
        return paths
    }

    @Test(arguments: KeyImportConformance.allowed)
    func `SoftHSM`(_ check: KeyImportConformance) async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { store async throws in
            let paths = try await Self.check(check, store, refused: [])
            for (keySpec, path) in paths {
                // SoftHSM knows no length of a secret that it unwrapped, and no public key of a curve's private key.
                let isInside = keySpec.keyPairKind?.family == .rsa
                #expect(path.exposesMaterialToHost == !isInside, "\(keySpec): \(path.description)")
            }
            #expect(try await store.inventory()?.isEmpty == true)
        }
        JunkLoad.expectCalm(device.events)
    }

    @Test(arguments: KeyImportConformance.algorithms)
    func `What must not come in does not, on SoftHSM`(_ check: KeyImportConformance) async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { store async throws in
            #expect(try await check.refuseWrongImports(on: store) > 50)
            #expect(try await store.inventory()?.isEmpty == true)
        }
        JunkLoad.expectCalm(device.events)
    }

    @Test func `The probe tells why material must be seen`() async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { _ in
            let findings = try #require(await device.devices.capabilities(TestDevice.clusterID)).findings
            #expect(findings[.unwrapping(.symmetricDefault)] == .no("CKA_VALUE_LEN is 0"))
            #expect(findings[.unwrapping(.rsa4096)] == .yes)
            #expect(findings[.opening(.sha1)] == .yes)
            #expect(findings[.importing(.eccSecgP256k1)] == .yes)
        }
    }

    @Test func `A wrapping key serves after the login has ended`() async throws {
        let device = try TestDevice.softHSM()
        let wrappingKey = try await device.whileConnected { store async throws in
            try await store.makeWrappingKey(
                WrappingKeyGeneration(
                    id: ConformanceKeys.request().id, wrappingKeySpec: .rsa2048, wrappingAlgorithm: .rsaesOaepSha256,
                    kmsKeyID: ConformanceKeys.request().kmsKeyID, label: "arn:aws:kms:eu-central-1:1:key/2"))
        }
        try await device.whileConnected { store async throws in
            let inventory = try #require(try await store.inventory())
            #expect(inventory.map(\.id) == [wrappingKey.id] && inventory.allSatisfy { !$0.isExposed })
            #expect(inventory.map(\.label) == ["import wrapping key of arn:aws:kms:eu-central-1:1:key/2"])
            let publicKey = try PublicKey(spki: wrappingKey.publicKey, kind: .rsa2048)
            let material = SecretBytes([UInt8](repeating: 3, count: 32))
            let wrapped = try publicKey.wrap(material, .rsaOAEP(.sha256))
            let request = KeyImport(
                key: ConformanceKeys.request(), wrappedMaterial: wrapped, wrappingKey: wrappingKey)
            let imported = try await store.importKey(request)
            // The same identity twice: on NSS the second would take the first one's place.
            #expect(await errorCode { _ = try await store.importKey(request) } == .internalFailure)
            let message = try await store.encrypt(SecretBytes([1]), associatedData: [], with: imported.backingKey)
            let opened = try await store.decrypt(message, associatedData: [], with: imported.backingKey)
            #expect(opened.revealed == [1])
        }
    }
}
