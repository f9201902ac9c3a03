import Cryptography
import Foundation
import SecureMemory
import Testing

/// Private keys of others: made by the `openssl` command, as people make them.
@Suite struct ImportedKeyTests {
    private static let invalidKey = CryptographyError(.invalidKey, "")

    private static func pkcs8(_ genpkey: String) throws -> [UInt8] {
        let exchange = try OpenSSLInteropTests.Exchange()
        try #require(try exchange.openssl("genpkey \(genpkey) -outform DER -out key.pem"))
        try #require(
            try exchange.openssl("pkcs8 -topk8 -nocrypt -inform DER -in key.pem -outform DER -out key.der"))
        return try exchange.read("key.der")
    }

    private func refuses(_ der: [UInt8], _ kind: AsymmetricKeyKind, _ what: Comment) {
        #expect(throws: Self.invalidKey, what) { _ = try PrivateKey(imported: SecretBytes(der), kind: kind) }
    }

    private static let curves: [(AsymmetricKeyKind, String)] = [
        (.p256, "P-256"), (.p384, "P-384"), (.p521, "P-521"), (.secp256k1, "secp256k1"),
    ]

    @Test(arguments: curves)
    func `A curve counts by its name`(kind: AsymmetricKeyKind, name: String) throws {
        let algorithm = "-algorithm EC -pkeyopt ec_paramgen_curve:\(name)"
        let der = try Self.pkcs8(algorithm)
        let key = try PrivateKey(imported: SecretBytes(der), kind: kind)
        try #expect(key.pkcs8().holds(der))
        refuses(try Self.pkcs8(algorithm + " -pkeyopt ec_param_enc:explicit"), kind, "explicit parameters")
        for (other, otherName) in Self.curves where other != kind {
            refuses(
                try Self.pkcs8("-algorithm EC -pkeyopt ec_paramgen_curve:\(otherName)"), kind, "curve \(otherName)")
        }
        refuses(try TestKeys.key(.rsa2048).pkcs8().copy, kind, "an RSA key")
        refuses(try TestKeys.key(.ed25519).pkcs8().copy, kind, "an Ed25519 key")
        refuses(der + [0], kind, "something after the key")
        refuses(Array(der.dropLast()), kind, "the end is missing")
        refuses([], kind, "nothing")
        refuses(try TestKeys.key(kind).publicKey.spki, kind, "a public key")
    }

    @Test func `Parameters inside of the key are no way around its curve`() throws {
        // RFC 5915 §3 allows them a second time, and libcrypto believes the second ones.
        let scalar = [UInt8](repeating: 0x11, count: 32)
        let identifier: [UInt8] = [
            0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
            0x03, 0x01, 0x07,
        ]
        let exchange = try OpenSSLInteropTests.Exchange()
        try #require(
            try exchange.openssl("ecparam -name P-256 -param_enc explicit -outform DER -out explicit.der"))
        let others: [[UInt8]] = [
            [0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a], try exchange.read("explicit.der"),
        ]
        func whole(_ parameters: [UInt8]) -> [UInt8] {
            let key = TestDER.element(
                0x30, [2, 1, 1] + TestDER.element(4, scalar) + TestDER.element(0xa0, parameters))
            return TestDER.element(0x30, [2, 1, 0] + identifier + TestDER.element(4, key))
        }
        let named = whole([0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07])
        let key = try PrivateKey(imported: SecretBytes(named), kind: .p256)
        // Our own encoding of it has them once.
        try #expect(!key.pkcs8().holds(named))
        for other in others { refuses(whole(other), .p256, "other parameters inside") }
    }

    @Test func `A scalar that is none is refused`() throws {
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
        for digits in [order, String(repeating: "00", count: 32), String(repeating: "ff", count: 32)] {
            let scalar = try #require([UInt8](hexadecimal: digits))
            refuses(try TestDER.privateKey(scalar: scalar, .p256), .p256, "\(digits)")
        }
    }

    @Test func `The public part must be the private part's`() throws {
        let (own, other) = try (TestKeys.key(.p384), PrivateKey.generate(.p384))
        let der = try own.pkcs8().copy
        refuses(Array(der.dropLast(97)) + other.publicKey.spki.suffix(97), .p384, "another public part")
    }

    @Test func `An RSA key has two primes and the modulus that was asked for`() throws {
        let rsa = "-algorithm RSA -pkeyopt rsa_keygen_bits:"
        let der = try Self.pkcs8(rsa + "2048")
        let key = try PrivateKey(imported: SecretBytes(der), kind: .rsa2048)
        try #expect(key.pkcs8().holds(der))
        refuses(der, .rsa3072, "2048 bits for 3072")
        refuses(try Self.pkcs8(rsa + "2048 -pkeyopt rsa_keygen_primes:3"), .rsa2048, "three primes")
        refuses(try Self.pkcs8(rsa + "2040"), .rsa2048, "2040 bits")
        refuses(try Self.pkcs8(rsa + "2056"), .rsa2048, "2056 bits")
        refuses(try Self.pkcs8(rsa + "2048 -pkeyopt rsa_keygen_pubexp:3"), .rsa2048, "an exponent of 3")
        refuses(try Self.pkcs8("-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048"), .rsa2048, "an RSASSA-PSS key")
        refuses(der + [0], .rsa2048, "something after the key")
        // The last byte of the last number, the inverse of a prime.
        refuses(Array(der.dropLast()) + [der[der.count - 1] ^ 1], .rsa2048, "parts of another key")
    }

    @Test func `Encrypted keys and other forms are refused`() throws {
        let exchange = try OpenSSLInteropTests.Exchange()
        try exchange.write("key.der", TestKeys.key(.rsa2048).pkcs8().copy)
        try #require(
            try exchange.openssl(
                "pkcs8 -topk8 -inform DER -in key.der -passout pass:secret -outform DER -out encrypted.der"))
        refuses(try exchange.read("encrypted.der"), .rsa2048, "encrypted")
        try #require(try exchange.openssl("rsa -inform DER -in key.der -traditional -outform DER -out old.der"))
        refuses(try exchange.read("old.der"), .rsa2048, "RSAPrivateKey")
        try #require(try exchange.openssl("pkey -inform DER -in key.der -out key.pem"))
        refuses(try exchange.read("key.pem"), .rsa2048, "PEM")
    }

    /// AWS's own recipe (KMS developer guide, "Encrypting the key material"): the AES key in a block of OAEP, and
    /// the material wrapped under it.
    @Test(arguments: ["sha1", "sha256"])
    func `What openssl wraps unwraps here`(hash: String) throws {
        let scheme = WrappingScheme.rsaAESKeyWrap(hash == "sha1" ? .sha1 : .sha256)
        let exchange = try OpenSSLInteropTests.Exchange()
        let wrappingKey = try TestKeys.key(.rsa4096)
        let material = try TestKeys.key(.p521).pkcs8().copy
        try exchange.write("public.der", wrappingKey.publicKey.spki)
        try exchange.write("material", material)
        let key = try SystemRandom.bytes(32)
        try exchange.write("aes", key)
        let digits = key.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        try #require(
            try exchange.openssl("enc -id-aes256-wrap-pad -iv A65959A6 -K \(digits) -in material -out wrapped"))
        try #require(
            try exchange.openssl(
                "pkeyutl -encrypt -in aes -out block -inkey public.der -keyform DER -pubin -pkeyopt "
                    + "rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:\(hash) -pkeyopt rsa_mgf1_md:\(hash)"))
        try #expect(wrappingKey.unwrap(exchange.read("block") + exchange.read("wrapped"), scheme).holds(material))
    }
}
