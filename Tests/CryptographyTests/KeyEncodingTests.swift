import Cryptography
import Foundation
import SecureMemory
import Testing

/// What is a key and what is not.
@Suite struct KeyEncodingTests {
    private let invalidKey = CryptographyError(.invalidKey, "")

    @Test func `Points of NIST's validation test are taken and refused as NIST says`() throws {
        let kinds: [String: AsymmetricKeyKind] = ["P-256": .p256, "P-384": .p384, "P-521": .p521]
        var (taken, refused) = (0, 0)
        for record in try VectorFile.records(in: "ecdsa-pkv/PKV.rsp", with: "Result") {
            guard let kind = kinds[record.section] else { continue }
            // Some numbers have an odd count of digits.
            func number(_ name: String) throws -> [UInt8] {
                let digits = try record.text(name)
                return try #require([UInt8](hexadecimal: digits.count.isMultiple(of: 2) ? digits : "0" + digits))
            }
            let spki = try TestDER.publicKey(x: number("Qx"), y: number("Qy"), kind)
            if try record.text("Result").hasPrefix("P") {
                try #expect(PublicKey(spki: spki, kind: kind).spki == spki)
                taken += 1
            } else {
                #expect(throws: invalidKey) { _ = try PublicKey(spki: spki, kind: kind) }
                refused += 1
            }
        }
        #expect(taken >= 6)
        #expect(refused >= 18)
    }

    @Test(arguments: AsymmetricKeyKind.offered)
    func `A public key is taken whole, unchanged and as the kind that it is`(kind: AsymmetricKeyKind) throws {
        let spki = try TestKeys.key(kind).publicKey.spki
        try #expect(PublicKey(spki: spki, kind: kind).spki == spki)
        for other in AsymmetricKeyKind.allCases where other != kind {
            #expect(throws: CryptographyError.self, "\(other)") { _ = try PublicKey(spki: spki, kind: other) }
        }
        for count in [0, 1, 2, spki.count / 2, spki.count - 1] {
            #expect(throws: invalidKey) { _ = try PublicKey(spki: Array(spki.prefix(count)), kind: kind) }
        }
        for addition in [[0], [0x30], spki] as [[UInt8]] {
            #expect(throws: invalidKey) { _ = try PublicKey(spki: spki + addition, kind: kind) }
        }
        let huge = spki + [UInt8](repeating: 0, count: PublicKey.maximumByteCount)
        #expect(throws: invalidKey) { _ = try PublicKey(spki: huge, kind: kind) }
        // The header: no bit of it may be otherwise.
        for bit in 0..<12 * 8 {
            var changed = spki
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: invalidKey, "bit \(bit)") { _ = try PublicKey(spki: changed, kind: kind) }
        }
    }

    @Test(arguments: [AsymmetricKeyKind.p256, .p384, .p521, .secp256k1])
    func `A point in another form or off the curve is refused`(kind: AsymmetricKeyKind) throws {
        let spki = try TestKeys.key(kind).publicKey.spki
        let prefix = try #require(TestDER.pointPrefixes[kind]).count / 2
        // SEC 1 §2.3.3: 00 infinity, 02 and 03 compressed, 06 and 07 hybrid.
        for form: UInt8 in [0, 2, 3, 5, 6, 7, 0xff] {
            var changed = spki
            changed[prefix] = form
            #expect(throws: invalidKey) { _ = try PublicKey(spki: changed, kind: kind) }
        }
        var zero = spki
        for index in (prefix + 1)..<spki.count { zero[index] = 0 }
        #expect(throws: invalidKey) { _ = try PublicKey(spki: zero, kind: kind) }
        for bit in 0..<16 {
            var changed = spki
            changed[spki.count - 1 - bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: invalidKey) { _ = try PublicKey(spki: changed, kind: kind) }
        }
    }

    @Test func `A point of another curve of the same size is refused`() throws {
        let (own, other) = try (TestKeys.key(.p256).publicKey.spki, TestKeys.key(.secp256k1).publicKey.spki)
        let disguised = Array(own.dropLast(64)) + Array(other.suffix(64))
        #expect(throws: invalidKey) { _ = try PublicKey(spki: disguised, kind: .p256) }
        #expect(throws: invalidKey) {
            _ = try TestKeys.key(.p256).agree(with: TestKeys.key(.p384).publicKey)
        }
    }

    @Test(arguments: AsymmetricKeyKind.offered)
    func `A private key comes back from its encoding, and nothing else opens`(kind: AsymmetricKeyKind) throws {
        let key = try TestKeys.key(kind)
        let der = try key.pkcs8().copy
        let again = try PrivateKey(der, kind)
        #expect(again.publicKey.spki == key.publicKey.spki)
        try #expect(again.pkcs8().holds(der))
        #expect(again.isConsistent())
        for other in AsymmetricKeyKind.allCases where other != kind {
            #expect(throws: CryptographyError.self, "\(other)") { _ = try PrivateKey(der, other) }
        }
        for count in [0, 1, 2, der.count / 2, der.count - 1] {
            #expect(throws: invalidKey) { _ = try PrivateKey(Array(der.prefix(count)), kind) }
        }
        for addition in [[0], [0x30], der] as [[UInt8]] {
            #expect(throws: invalidKey) { _ = try PrivateKey(der + addition, kind) }
        }
        let junk = [UInt8](repeating: 0x30, count: PrivateKey.maximumByteCount + 1)
        #expect(throws: invalidKey) { _ = try PrivateKey(junk, kind) }
    }

    @Test func `A private key with another key's public part is noticed`() throws {
        let (own, other) = try (TestKeys.key(.p256), PrivateKey.generate(.p256))
        let der = try own.pkcs8().copy
        let point = Array(other.publicKey.spki.suffix(65))
        // libcrypto writes the public part last (RFC 5915 §3).
        let mixed = Array(der.dropLast(65)) + point
        let key = try? PrivateKey(mixed, .p256)
        #expect(key?.isConsistent() != true)
        #expect(own.isConsistent())
    }

    @Test func `ML-DSA keys are taken in the seed form alone, and make the published public key`() throws {
        let pkcs8 = try Array(VectorFile.contents(of: "ml-dsa-der/mldsa44_priv.der"))
        let spki = try Array(VectorFile.contents(of: "ml-dsa-der/mldsa44_pub.der"))
        let key = try PrivateKey(pkcs8, .mlDSA44)
        #expect(key.publicKey.spki == spki)
        try #expect(key.pkcs8().holds(pkcs8))
        let expanded = try Array(VectorFile.contents(of: "ml-dsa-der/mldsa65_noseed_priv.der"))
        #expect(throws: invalidKey) { _ = try PrivateKey(expanded, .mlDSA65) }
    }

    @Test func `An encapsulation key that is not reduced is refused`() throws {
        // FIPS 203 §7.2: coefficients of 12 bits must be below 3329.
        var spki = try TestKeys.key(.mlKEM768).publicKey.spki
        let start = spki.count - 1_184
        (spki[start], spki[start + 1]) = (0xff, 0xff)
        #expect(throws: invalidKey) { _ = try PublicKey(spki: spki, kind: .mlKEM768) }
    }

    @Test func `Junk of every kind is refused and traps nothing`() throws {
        var generator = SystemRandomNumberGenerator()
        for kind in AsymmetricKeyKind.offered {
            let (spki, pkcs8) = try (TestKeys.key(kind).publicKey.spki, TestKeys.key(kind).pkcs8().copy)
            for _ in 0..<60 {
                var (left, right) = (spki, pkcs8)
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    left[Int.random(in: left.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
                    right[Int.random(in: right.indices, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                // What opens must at least be canonical.
                if let key = try? PublicKey(spki: left, kind: kind) { #expect(key.spki == left) }
                _ = try? PrivateKey(right, kind)
            }
            // No failure is left behind for the next caller.
            try #expect(SHA256.digest([]).count == 32)
        }
    }
}

/// One key of each kind for all tests, because RSA keys are dear to make.
enum TestKeys {
    private static let keys: [AsymmetricKeyKind: Result<PrivateKey, CryptographyError>] = {
        var keys: [AsymmetricKeyKind: Result<PrivateKey, CryptographyError>] = [:]
        for kind in AsymmetricKeyKind.allCases {
            keys[kind] = Result { () throws(CryptographyError) in try PrivateKey.generate(kind) }
        }
        return keys
    }()

    static func key(_ kind: AsymmetricKeyKind) throws -> PrivateKey { try #require(keys[kind]).get() }
}
