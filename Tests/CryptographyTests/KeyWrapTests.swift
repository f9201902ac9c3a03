import Cryptography
import SecureMemory
import Testing

/// Key material on its way from one place to another.
@Suite struct KeyWrapTests {
    private let notAuthentic = CryptographyError(.authenticationFailure, "")

    /// RFC 5649 §6.
    @Test(arguments: [
        (
            "c37b7e6492584340bed12207808941155068f738",
            "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"
        ),
        ("466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"),
    ])
    func `AES key wrap with padding gives the answers of RFC 5649`(material: String, wrapped: String) throws {
        let key = try #require([UInt8](hexadecimal: "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8"))
        let material = try #require([UInt8](hexadecimal: material))
        let wrapped = try #require([UInt8](hexadecimal: wrapped))
        try #expect(AESKeyWrap.wrap(material, key: key) == wrapped)
        try #expect(AESKeyWrap.unwrap(wrapped, key: key).holds(material))
    }

    @Test(arguments: AESKeyWrap.keyByteCounts)
    func `Material of every length comes back, and no changed bit is overlooked`(keyByteCount: Int) throws {
        let key = [UInt8](repeating: 0x5a, count: keyByteCount)
        let counts = [1, 7, 8, 9, 15, 16, 17, 32, 255, 1_217, PrivateKey.maximumByteCount]
        for count in counts {
            let material = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let wrapped = try AESKeyWrap.wrap(material, key: key)
            #expect(wrapped.count == (count + 7) / 8 * 8 + 8)
            try #expect(AESKeyWrap.unwrap(wrapped, key: key).holds(material))
            for bit in stride(from: 0, to: wrapped.count * 8, by: max(1, wrapped.count / 8)) {
                var changed = wrapped
                changed[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: notAuthentic) { _ = try AESKeyWrap.unwrap(changed, key: key) }
            }
            for length in [0, 8, wrapped.count - 8, wrapped.count - 1] where length < wrapped.count {
                #expect(throws: notAuthentic) { _ = try AESKeyWrap.unwrap(Array(wrapped.prefix(length)), key: key) }
            }
            #expect(throws: notAuthentic) { _ = try AESKeyWrap.unwrap(wrapped + [0], key: key) }
        }
        for material in [[], [UInt8](repeating: 0, count: PrivateKey.maximumByteCount + 1)] {
            #expect(throws: CryptographyError(.invalidLength, "")) { _ = try AESKeyWrap.wrap(material, key: key) }
        }
        #expect(throws: CryptographyError(.invalidLength, "")) { _ = try AESKeyWrap.wrap([1], key: key + [0]) }
    }

    private static let schemes: [(AsymmetricKeyKind, WrappingScheme)] =
        [AsymmetricKeyKind.rsa2048, .rsa3072, .rsa4096].flatMap { kind in
            [WrappingScheme.rsaOAEP(.sha1), .rsaOAEP(.sha256), .rsaAESKeyWrap(.sha1), .rsaAESKeyWrap(.sha256)].map {
                (kind, $0)
            }
        }

    @Test(arguments: schemes)
    func `What is wrapped unwraps, and nothing else does`(kind: AsymmetricKeyKind, scheme: WrappingScheme) throws {
        let key = try TestKeys.key(kind)
        let material = (0..<64).map { UInt8($0) }
        let wrapped = try key.publicKey.wrap(SecretBytes(material), scheme)
        try #expect(key.unwrap(wrapped, scheme).holds(material))
        for index in [0, 1, wrapped.count / 2, wrapped.count - 1] {
            var changed = wrapped
            changed[index] ^= 4
            #expect(throws: notAuthentic) { _ = try key.unwrap(changed, scheme) }
        }
        for count in [0, 1, 255, 256, wrapped.count - 8, wrapped.count - 1] where count < wrapped.count {
            #expect(throws: notAuthentic) { _ = try key.unwrap(Array(wrapped.prefix(count)), scheme) }
        }
        #expect(throws: notAuthentic) { _ = try key.unwrap(wrapped + [0], scheme) }
        for (_, other) in Self.schemes where other != scheme {
            #expect(throws: notAuthentic) { _ = try key.unwrap(wrapped, other) }
        }
        #expect(throws: CryptographyError(.unsupportedAlgorithm, "")) {
            _ = try TestKeys.key(.p256).unwrap(wrapped, scheme)
        }
    }

    @Test(arguments: [HashFunction.sha1, .sha256])
    func `An AES key of any size may stand in the block, and nothing else`(hash: HashFunction) throws {
        let key = try TestKeys.key(.rsa2048)
        let material = [UInt8](repeating: 7, count: 40)
        for count in AESKeyWrap.keyByteCounts {
            let wrappingKey = [UInt8](repeating: 3, count: count)
            let wrapped = try AESKeyWrap.wrap(material, key: wrappingKey)
            let whole = try key.publicKey.encrypt(wrappingKey, .rsaOAEP(hash)) + wrapped
            try #expect(key.unwrap(whole, .rsaAESKeyWrap(hash)).holds(material))
        }
        for count in [0, 1, 15, 17, 31, 33, 64] {
            let block = try key.publicKey.encrypt([UInt8](repeating: 3, count: count), .rsaOAEP(hash))
            let wrapped = try AESKeyWrap.wrap(material, key: [UInt8](repeating: 3, count: 32))
            #expect(throws: notAuthentic, "\(count)") { _ = try key.unwrap(block + wrapped, .rsaAESKeyWrap(hash)) }
        }
    }

    @Test(
        .enabled(
            if: AlgorithmAvailability.current.refusal(of: .encryption(.sm2), for: .sm2) == nil,
            "the installed libcrypto has no SM2"))
    func `SM2 wraps too`() throws {
        let key = try TestKeys.key(.sm2)
        let wrapped = try key.publicKey.wrap(SecretBytes([1, 2, 3]), .sm2)
        try #expect(key.unwrap(wrapped, .sm2).holds([1, 2, 3]))
        #expect(throws: notAuthentic) { _ = try key.unwrap(wrapped + [0], .sm2) }
        #expect(throws: CryptographyError(.unsupportedAlgorithm, "")) {
            _ = try key.unwrap(wrapped, .rsaAESKeyWrap(.sha256))
        }
    }
}
