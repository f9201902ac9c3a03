internal import PKCS11
internal import SecureMemory

/// Published answers that a token must reproduce.
enum KnownAnswers {
    // FIPS 197, appendix C.3: AES-256.
    static let ecbKey: [UInt8] = Array(0x00...0x1F)
    static let ecbPlaintext: [UInt8] = (0..<16).map { $0 * 0x11 }
    static let ecbCiphertext: [UInt8] = [
        0x8E, 0xA2, 0xB7, 0xCA, 0x51, 0x67, 0x45, 0xBF, 0xEA, 0xFC, 0x49, 0x90, 0x4B, 0x49, 0x60, 0x89,
    ]

    // McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B, test case 16: AES-256, 60 bytes of
    // plaintext, 20 bytes of associated data, IV of 96 bits.
    static let gcmKey: [UInt8] = gcmKeyHalf + gcmKeyHalf
    static let gcmIV: [UInt8] = [0xCA, 0xFE, 0xBA, 0xBE, 0xFA, 0xCE, 0xDB, 0xAD, 0xDE, 0xCA, 0xF8, 0x88]
    static let gcmAssociatedData: [UInt8] = [
        0xFE, 0xED, 0xFA, 0xCE, 0xDE, 0xAD, 0xBE, 0xEF, 0xFE, 0xED, 0xFA, 0xCE, 0xDE, 0xAD, 0xBE, 0xEF, 0xAB, 0xAD,
        0xDA, 0xD2,
    ]
    static let gcmPlaintext: [UInt8] = [
        0xD9, 0x31, 0x32, 0x25, 0xF8, 0x84, 0x06, 0xE5, 0xA5, 0x59, 0x09, 0xC5, 0xAF, 0xF5, 0x26, 0x9A, 0x86, 0xA7,
        0xA9, 0x53, 0x15, 0x34, 0xF7, 0xDA, 0x2E, 0x4C, 0x30, 0x3D, 0x8A, 0x31, 0x8A, 0x72, 0x1C, 0x3C, 0x0C, 0x95,
        0x95, 0x68, 0x09, 0x53, 0x2F, 0xCF, 0x0E, 0x24, 0x49, 0xA6, 0xB5, 0x25, 0xB1, 0x6A, 0xED, 0xF5, 0xAA, 0x0D,
        0xE6, 0x57, 0xBA, 0x63, 0x7B, 0x39,
    ]
    static let gcmCiphertext: [UInt8] = [
        0x52, 0x2D, 0xC1, 0xF0, 0x99, 0x56, 0x7D, 0x07, 0xF4, 0x7F, 0x37, 0xA3, 0x2A, 0x84, 0x42, 0x7D, 0x64, 0x3A,
        0x8C, 0xDC, 0xBF, 0xE5, 0xC0, 0xC9, 0x75, 0x98, 0xA2, 0xBD, 0x25, 0x55, 0xD1, 0xAA, 0x8C, 0xB0, 0x8E, 0x48,
        0x59, 0x0D, 0xBB, 0x3D, 0xA7, 0xB0, 0x8B, 0x10, 0x56, 0x82, 0x88, 0x38, 0xC5, 0xF6, 0x1E, 0x63, 0x93, 0xBA,
        0x7A, 0x0A, 0xBC, 0xC9, 0xF6, 0x62,
    ]
    static let gcmTag: [UInt8] = [
        0x76, 0xFC, 0x6E, 0xCE, 0x0F, 0x4E, 0x17, 0x68, 0xCD, 0xDF, 0x88, 0x53, 0xBB, 0x2D, 0x55, 0x1B,
    ]

    private static let gcmKeyHalf: [UInt8] = [
        0xFE, 0xFF, 0xE9, 0x92, 0x86, 0x65, 0x73, 0x1C, 0x6D, 0x6A, 0x8F, 0x94, 0x67, 0x30, 0x83, 0x08,
    ]

    // RFC 4231 §4.7: a key longer than a block, so that tokens which refuse keys shorter than the hash take it.
    static let hmacKey = [UInt8](repeating: 0xAA, count: 131)
    static let hmacMessage = Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8)

    static func hmac(_ hash: MechanismHash) -> [UInt8]? {
        switch hash {
        case .sha1: nil
        case .sha224: bytes("95e9a0db962095adaebe9b2d6f0dbce2d499f112f2d2b7273fa6870e")
        case .sha256: bytes("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54")
        case .sha384:
            bytes(
                "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952")
        case .sha512:
            bytes(
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                    + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598")
        }
    }

    /// A point whose second byte is 0x3F, the length of what follows it: bare, it begins like the DER of a shorter one,
    /// as one point in 256 does, and a token that guesses between the two forms must guess right. Made with OpenSSL 3,
    /// as are the private key and their shared secret.
    static let awkwardPoint = bytes(
        "043fb3344bdb2d9e96596fd427b8f087a0eb0d27d9c9b5afc2e8aeb55477ac2843"
            + "dcca6106ad0bf271b1adbd82fdc68e5b6981a6613c1940971683655dd88d650b")
    static let agreementKey = bytes("8456aa3e97c44c52698a9abb9dc5fb221e5efcc1641ae8cf02bb87edfa1993d4")
    static let agreedSecret = bytes("def141acc87c78c871e94a40ac53a58b8037514922c728e0ef14865b647b7d7b")

    /// Published keys in the form that templates take.
    static func secret(_ bytes: [UInt8]) -> SecretBytes { SecretBytes(copying: bytes.span) }

    /// The bytes of a constant in hexadecimal digits.
    static func bytes(_ digits: String) -> [UInt8] {
        let values = digits.utf8.map { UInt8($0 < UInt8(ascii: "a") ? $0 - UInt8(ascii: "0") : $0 - UInt8(ascii: "W")) }
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
