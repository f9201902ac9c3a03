internal import Conformance
internal import Cryptography
internal import KMSModel
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Testing

/// Every kind of key on both modules. What a token lacks is skipped with the reason that its probe found, and the
/// reasons are themselves expected: a probe that says no to everything does not pass.
@Suite struct AlgorithmTests {
    /// The API's own limits apart: what no token here can do.
    private static let never: Set<KeySpec> = [
        .sm2, .mlDsa44, .mlDsa65, .mlDsa87, .mlKem512, .mlKem768, .mlKem1024,
    ]

    static func check(_ kind: KeyKind, _ store: any KeyStore, refused: Set<KeySpec>) async throws {
        let outcomes = try await KeyKindConformance(kind).run(on: store)
        #expect(outcomes.map(\.algorithm) == kind.algorithms)
        for (algorithm, outcome) in outcomes {
            let isRefused =
                refused.contains(kind.keySpec) || never.contains(kind.keySpec)
                || algorithm == .signing(.ed25519PhSha512)
            if case .notApplicable(let reason) = outcome {
                #expect(isRefused, "\(kind), \(algorithm): \(reason)")
            } else {
                #expect(!isRefused, "\(kind), \(algorithm) works")
            }
        }
    }

    @Test func `SoftHSM, every kind of key`() async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { store async throws in
            for kind in KeyKind.allowed { try await Self.check(kind, store, refused: []) }
            for kind in KeyKind.forbidden { try await KeyKindConformance(kind).requireForbidden(on: store) }
            // Nothing is left of any of them, no public half either.
            #expect(try await store.inventory()?.isEmpty == true)
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `SoftHSM with copies in session memory, every kind of key`() async throws {
        let device = try TestDevice.softHSM { $0.profile.sessionCopies = true }
        try await device.whileConnected { store async throws in
            // The length of a modulus makes no other copy.
            for kind in KeyKind.allowed where kind.keySpec != .rsa3072 && kind.keySpec != .rsa4096 {
                try await Self.check(kind, store, refused: [])
            }
            #expect(!device.events.contains(.sick))
        }
    }

    @Test func `A key pair is found again after the login has ended`() async throws {
        let device = try TestDevice.softHSM()
        let (pair, mac, code) = try await device.whileConnected { store async throws in
            let pair = try await store.generateKey(ConformanceKeys.request(.eccNistP256, .signVerify))
            let mac = try await store.generateKey(ConformanceKeys.request(.hmac256, .generateVerifyMac))
            let code = try await store.authenticate(SecretBytes([1]), algorithm: .hmacSha256, with: mac)
            return (pair, mac, code)
        }
        try await device.whileConnected { store async throws in
            let signature = try await store.sign(.message([1]), algorithm: .ecdsaSha256, with: pair)
            let publicKey = try PublicKey(spki: #require(pair.publicKey), kind: .p256)
            #expect(
                try publicKey.isValid(signature: signature.span, of: [1].span, as: .message, .ecdsa(.sha256)))
            #expect(try await store.authenticate(SecretBytes([1]), algorithm: .hmacSha256, with: mac) == code)
            #expect(try await store.inventory()?.count == 2)
        }
    }

    @Test func `A key has the flags of its usage and no others`() async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { store async throws in
            let decrypting = try await store.generateKey(ConformanceKeys.request(.rsa2048, .encryptDecrypt))
            #expect(
                await errorCode {
                    _ = try await store.sign(.message([1]), algorithm: .rsassaPssSha256, with: decrypting)
                } == .unsupportedAlgorithm)
            let agreeing = try await store.generateKey(ConformanceKeys.request(.eccNistP256, .keyAgreement))
            #expect(
                await errorCode { _ = try await store.sign(.message([1]), algorithm: .ecdsaSha256, with: agreeing) }
                    == .unsupportedAlgorithm)
            let signing = try await store.generateKey(ConformanceKeys.request(.eccNistP256, .signVerify))
            #expect(
                await errorCode {
                    _ = try await store.deriveSharedSecret(publicKey: #require(agreeing.publicKey), with: signing)
                } == .unsupportedAlgorithm)
            #expect(!device.events.contains(.sick))
        }
    }

    /// One bare point in 256 begins like DER, and one x coordinate in 256 begins with a zero.
    @Test func `Six hundred shared secrets are right`() async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { store async throws in
            let key = try await store.generateKey(ConformanceKeys.request(.eccNistP256, .keyAgreement))
            let publicKey = try PublicKey(spki: #require(key.publicKey), kind: .p256)
            var startsWithZero = 0
            for _ in 0..<600 {
                let peer = try PrivateKey.generate(.p256)
                let expected = try peer.agree(with: publicKey).revealed
                if expected[0] == 0 { startsWithZero += 1 }
                let secret = try await store.deriveSharedSecret(publicKey: peer.publicKey.spki, with: key)
                #expect(secret.revealed == expected)
            }
            #expect(startsWithZero < 30)
        }
    }

    @Test func `The probe tells how OAEP is done and what junk is answered with`() async throws {
        let device = try TestDevice.softHSM()
        try await device.whileConnected { _ in
            let capabilities = try #require(await device.devices.capabilities(TestDevice.clusterID))
            // SoftHSM 2.6.1 knows no other hash than SHA-1 here.
            #expect(capabilities.decodesOAEPInSoftware == [.rsaesOaepSha256])
            #expect(capabilities.badPaddingReturnValues == [.rsaesOaepSha1: .generalError])
            #expect(capabilities.probeTime > .zero)
        }
    }
}
