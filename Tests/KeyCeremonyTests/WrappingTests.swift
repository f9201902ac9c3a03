import Cryptography
import Foundation
import KMSModel
import KeyCeremony
import SecureMemory
import Testing

/// A service of the test's own: it holds the private key.
struct TestService {
    let key: PrivateKey
    let wrappingKeySpec: WrappingKeySpec

    private static let kinds: [WrappingKeySpec: AsymmetricKeyKind] = [
        .rsa2048: .rsa2048, .rsa3072: .rsa3072, .rsa4096: .rsa4096,
    ]

    init(_ wrappingKeySpec: WrappingKeySpec = .rsa2048) throws {
        self.wrappingKeySpec = wrappingKeySpec
        key = try PrivateKey.generate(try #require(Self.kinds[wrappingKeySpec]))
    }

    func parameters(
        _ keySpec: KeySpec, _ algorithm: AlgorithmSpec, validFor seconds: Double = 86_400,
        wrappingKeySpec: WrappingKeySpec? = nil
    ) -> ImportParameters {
        ImportParameters(
            keyArn: "arn:aws:kms:us-east-1:000000000000:key/1", keySpec: keySpec, wrappingAlgorithm: algorithm,
            wrappingKeySpec: wrappingKeySpec ?? self.wrappingKeySpec, publicKey: Data(key.publicKey.spki),
            importToken: Data([1, 2, 3]), validTo: Date().addingTimeInterval(seconds))
    }

    func unwrap(_ wrapped: [UInt8], _ algorithm: AlgorithmSpec) throws -> SecretBytes {
        let scheme: WrappingScheme =
            switch algorithm {
            case .rsaesOaepSha1: .rsaOAEP(.sha1)
            case .rsaesOaepSha256: .rsaOAEP(.sha256)
            case .rsaAesKeyWrapSha1: .rsaAESKeyWrap(.sha1)
            default: .rsaAESKeyWrap(.sha256)
            }
        let bytes = wrapped.span
        return try key.unwrap(bytes, scheme)
    }
}

@Suite struct WrappingTests {
    @Test(
        arguments: [AlgorithmSpec.rsaesOaepSha1, .rsaesOaepSha256, .rsaAesKeyWrapSha1, .rsaAesKeyWrapSha256],
        [WrappingKeySpec.rsa2048, .rsa3072, .rsa4096])
    func `Only the service unwraps what is wrapped`(algorithm: AlgorithmSpec, wrappingKeySpec: WrappingKeySpec) throws {
        let service = try TestService(wrappingKeySpec)
        for keySpec in [KeySpec.symmetricDefault, .hmac512, .eccNistP256] {
            let material = try KeyMaterial.generate(keySpec)
            let wrapped = try material.wrapped(with: service.parameters(keySpec, algorithm))
            let unwrapped = try service.unwrap(wrapped, algorithm)
            let isSame = material.bytes.withBytes { left in
                unwrapped.withBytes { right in constantTimeEquals(left, right) }
            }
            #expect(isSame)
        }
    }

    @Test func `RSA keys are wrapped by AES, whole`() throws {
        let service = try TestService()
        let material = try KeyMaterial.generate(.rsa2048)
        let wrapped = try material.wrapped(with: service.parameters(.rsa2048, .rsaAesKeyWrapSha256))
        #expect(try service.unwrap(wrapped, .rsaAesKeyWrapSha256).count == material.bytes.count)
        #expect(throws: CeremonyError.self) {
            _ = try material.wrapped(with: service.parameters(.rsa2048, .rsaesOaepSha256))
        }
    }

    @Test(arguments: [
        (KeySpec.rsa2048, AlgorithmSpec.rsaesOaepSha256, WrappingKeySpec.rsa4096, false),
        (.eccNistP521, .rsaesOaepSha256, .rsa2048, false),
        (.eccNistP521, .rsaesOaepSha1, .rsa2048, false),
        (.eccNistP521, .rsaesOaepSha256, .rsa3072, true),
        (.eccNistP384, .rsaesOaepSha256, .rsa2048, true),
        (.symmetricDefault, .rsaesPkcs1V15, .rsa2048, false),
        (.symmetricDefault, .sm2pke, .rsa2048, false),
        (.symmetricDefault, .rsaesOaepSha256, .sm2, false),
        (.mlDsa44, .rsaAesKeyWrapSha256, .rsa2048, false),
    ])
    func `Pairs that the service refuses are refused before anything is done`(
        keySpec: KeySpec, algorithm: AlgorithmSpec, wrappingKeySpec: WrappingKeySpec, isAllowed: Bool
    ) {
        let isTaken = (try? WrappingChoice.check(algorithm, wrappingKeySpec, for: keySpec)) != nil
        #expect(isTaken == isAllowed)
    }

    @Test(arguments: [
        (KeySpec.symmetricDefault, AlgorithmSpec.rsaesOaepSha256), (.hmac384, .rsaesOaepSha256),
        (.rsa4096, .rsaAesKeyWrapSha256), (.eccNistP521, .rsaAesKeyWrapSha256),
    ])
    func `The default goes with the key`(keySpec: KeySpec, algorithm: AlgorithmSpec) throws {
        #expect(WrappingChoice.defaultAlgorithm(for: keySpec) == algorithm)
        try WrappingChoice.check(algorithm, WrappingChoice.defaultWrappingKeySpec, for: keySpec)
    }

    @Test func `Parameters that expired, or whose public key is another, wrap nothing`() throws {
        let service = try TestService()
        let material = try KeyMaterial.generate(.symmetricDefault)
        func refusal(_ parameters: ImportParameters) -> String {
            let error = #expect(throws: CeremonyError.self) { _ = try material.wrapped(with: parameters) }
            return error?.description ?? ""
        }
        #expect(
            refusal(service.parameters(.symmetricDefault, .rsaesOaepSha256, validFor: -1)).contains("were valid until"))
        #expect(
            refusal(service.parameters(.symmetricDefault, .rsaesOaepSha256, wrappingKeySpec: .rsa3072))
                .contains("is not RSA_3072"))
        #expect(refusal(service.parameters(.hmac256, .rsaesOaepSha256)).contains("are for a HMAC_256 key"))
    }
}
