internal import Cryptography
internal import KeyStorePKCS11
internal import PKCS11
internal import SecureMemory
internal import Testing

/// The forms in which tokens and the API write the same thing.
@Suite struct EncodingTests {
    // MARK: Signatures

    @Test func `r and s become the shortest integers that are not negative`() {
        let r: [UInt8] = [UInt8](repeating: 0, count: 30) + [0x01, 0x80]
        let s: [UInt8] = [0xFF] + [UInt8](repeating: 0, count: 31)
        #expect(
            ECDSASignature.der(r + s, byteCount: 32)
                == [0x30, 0x27, 0x02, 0x02, 0x01, 0x80, 0x02, 0x21, 0x00] + s)
        // More than 127 bytes: the length of the sequence takes two.
        let large = [UInt8](repeating: 0x01, count: 132)
        #expect(
            ECDSASignature.der(large, byteCount: 66)
                == [0x30, 0x81, 0x88, 0x02, 0x42] + large[..<66] + [0x02, 0x42] + large[66...])
    }

    @Test func `What has another length or a zero in it is no signature`() {
        let one = [UInt8](repeating: 1, count: 32)
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(ECDSASignature.der(one + one, byteCount: 32) != nil)
        for wrong in [one + zero, zero + one, one, [], one + one + [1], Array((one + one).dropLast())] {
            #expect(ECDSASignature.der(wrong, byteCount: 32) == nil)
        }
    }

    // MARK: Public keys

    private static let parameters: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]

    private static func pair() throws -> (spki: [UInt8], point: [UInt8]) {
        let spki = try PrivateKey.generate(.p256).publicKey.spki
        return (spki, Array(spki.suffix(65)))
    }

    @Test func `CKA_EC_POINT is taken bare and as an octet string`() throws {
        let (spki, point) = try Self.pair()
        for attribute in [point, [0x04, 0x41] + point] {
            let values = AttributeValues([.ecParameters: Self.parameters, .ecPoint: attribute])
            #expect(PublicKeyInfo.encode(values, as: .ec(.p256)) == spki)
        }
        #expect(PublicKeyInfo.point(of: spki, on: .p256) == point)
        #expect(PublicKeyInfo.point(of: spki, on: .p384) == nil)
        #expect(PublicKeyInfo.point(of: spki, on: .secp256k1) == nil)
        #expect(PublicKeyInfo.point(of: spki + [0], on: .p256) == nil)
        #expect(PublicKeyInfo.point(of: Array(spki.dropLast()), on: .p256) == nil)
    }

    @Test func `A public key object of another kind is none`() throws {
        let (_, point) = try Self.pair()
        let compressed = [0x02] + point[1..<33]
        let wrong: [[AttributeType: [UInt8]]] = [
            [:], [.ecPoint: point], [.ecParameters: Self.parameters],
            [.ecParameters: Self.parameters + [0], .ecPoint: point],
            [.ecParameters: Self.parameters, .ecPoint: point + [0]],
            [.ecParameters: Self.parameters, .ecPoint: [0x04, 0x40] + point],
            [.ecParameters: Self.parameters, .ecPoint: Array(compressed)],
            [.ecParameters: Self.parameters, .ecPoint: [0x05] + point.dropFirst()],
        ]
        for values in wrong { #expect(PublicKeyInfo.encode(AttributeValues(values), as: .ec(.p256)) == nil) }
    }

    @Test func `An RSA modulus has its length, its top bit, and the exponent that was asked for`() throws {
        let modulus = [0xC0] + [UInt8](repeating: 0x11, count: 255)
        let good: [AttributeType: [UInt8]] = [.modulus: modulus, .publicExponent: [1, 0, 1]]
        let spki = try #require(PublicKeyInfo.encode(AttributeValues(good), as: .rsa(modulusBits: 2048)))
        #expect(PublicKeyInfo.modulus(of: spki) == modulus)
        // Some tokens write a leading zero.
        let padded: [AttributeType: [UInt8]] = [.modulus: [0] + modulus, .publicExponent: [0, 1, 0, 1]]
        #expect(PublicKeyInfo.encode(AttributeValues(padded), as: .rsa(modulusBits: 2048)) == spki)
        let wrong: [[AttributeType: [UInt8]]] = [
            [.modulus: modulus], [.modulus: modulus, .publicExponent: [3]],
            [.modulus: [0x7F] + modulus.dropFirst(), .publicExponent: [1, 0, 1]],
            [.modulus: modulus.dropLast() + [0x10], .publicExponent: [1, 0, 1]],
            [.modulus: modulus + [1], .publicExponent: [1, 0, 1]],
        ]
        for values in wrong {
            #expect(PublicKeyInfo.encode(AttributeValues(values), as: .rsa(modulusBits: 2048)) == nil)
        }
    }
}
