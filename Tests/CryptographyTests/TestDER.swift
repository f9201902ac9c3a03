import Cryptography

/// DER for keys that vectors give as bare numbers.
enum TestDER {
    static let pointPrefixes: [AsymmetricKeyKind: String] = [
        .p256: "3059301306072a8648ce3d020106082a8648ce3d030107034200",
        .p384: "3076301006072a8648ce3d020106052b81040022036200",
        .p521: "30819b301006072a8648ce3d020106052b8104002303818600",
        .secp256k1: "3056301006072a8648ce3d020106052b8104000a034200",
        .sm2: "3059301306072a8648ce3d020106082a811ccf5501822d034200",
    ]

    static func element(_ tag: UInt8, _ contents: [UInt8]) -> [UInt8] {
        let count = contents.count
        let length: [UInt8] =
            count < 128
            ? [UInt8(count)] : count < 256 ? [0x81, UInt8(count)] : [0x82, UInt8(count >> 8), UInt8(count & 255)]
        return [tag] + length + contents
    }

    /// SubjectPublicKeyInfo of an uncompressed point.
    static func publicKey(x: [UInt8], y: [UInt8], _ kind: AsymmetricKeyKind) -> [UInt8] {
        let count = [.p384: 48, .p521: 66][kind] ?? 32
        func padded(_ bytes: [UInt8]) -> [UInt8] {
            let digits = Array(bytes.drop { $0 == 0 })
            return [UInt8](repeating: 0, count: max(0, count - digits.count)) + digits
        }
        return ([UInt8](hexadecimal: pointPrefixes[kind] ?? "") ?? []) + [4] + padded(x) + padded(y)
    }

    /// PrivateKeyInfo of an elliptic-curve key without its public part (RFC 5915).
    static func privateKey(scalar: [UInt8], _ kind: AsymmetricKeyKind) throws -> [UInt8] {
        // 32 bytes, whatever zeros the vector has before.
        let digits = Array(scalar.drop { $0 == 0 })
        let number = [UInt8](repeating: 0, count: max(0, 32 - digits.count)) + digits
        let spki = [UInt8](hexadecimal: pointPrefixes[kind] ?? "") ?? []
        let identifier = Array(spki[2..<4 + Int(spki[3])])
        let key = element(0x30, [2, 1, 1] + element(4, number))
        return element(0x30, [2, 1, 0] + identifier + element(4, key))
    }

    /// PrivateKeyInfo of an ML-KEM key in the seed form (RFC 9935 §6).
    static func privateKey(seed: [UInt8], _ kind: AsymmetricKeyKind) -> [UInt8] {
        let sets: [AsymmetricKeyKind: UInt8] = [.mlKEM512: 1, .mlKEM768: 2, .mlKEM1024: 3]
        let identifier: [UInt8] =
            [0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x04] + [sets[kind] ?? 0]
        return element(0x30, [2, 1, 0] + identifier + element(4, element(0x80, seed)))
    }
}
