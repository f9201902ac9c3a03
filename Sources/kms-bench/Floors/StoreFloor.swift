internal import Cryptography

/// What one key store operation costs when nothing stands in front of it, in microseconds of CPU time.
struct StoreFloor: Codable {
    private var microseconds: [String: Double] = [:]

    /// GetPublicKey has nothing to compute, and GenerateDataKey is compared with an encryption: that it also draws a
    /// key is the server's to pay for.
    subscript(operation: Operation) -> Double? {
        get {
            switch operation {
            case .getPublicKey: 0
            case .generateDataKey: microseconds[Operation.encrypt.rawValue]
            default: microseconds[operation.rawValue]
            }
        }
        set { microseconds[operation.rawValue] = newValue }
    }

    /// The software floor: libcrypto, and for ML-KEM what the server has, in a loop. The message has 32 bytes.
    static func software() throws -> StoreFloor {
        var floor = StoreFloor()
        try floor.measureSymmetric()
        try floor.measureKeyPairs()
        return floor
    }

    private mutating func measureSymmetric(operations: Int = 100_000) throws {
        let key = try SystemRandom.secret(AES256GCM.keyByteCount)
        let iv = try SystemRandom.bytes(12)
        let none: [UInt8] = []
        let plaintext = [UInt8](repeating: 7, count: 32)
        let message = try AES256GCM.seal(
            plaintext: plaintext.span, key: key, iv: iv.span, associatedData: none.span
        )
        self[.encrypt] = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try AES256GCM.seal(plaintext: plaintext.span, key: key, iv: iv.span, associatedData: none.span)
        }
        self[.decrypt] = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try AES256GCM.open(
                ciphertext: message.ciphertext.span, tag: message.tag.span, key: key, iv: iv.span,
                associatedData: none.span
            )
        }
        self[.generateMac] = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try MessageAuthentication.hmacSHA256.authenticate(plaintext.span, key: key)
        }
    }

    private mutating func measureKeyPairs(operations: Int = 2_000) throws {
        let message = [UInt8](repeating: 7, count: 32)
        let p256 = try PrivateKey.generate(.p256)
        let rsa = try PrivateKey.generate(.rsa2048)
        let mlKEM = try PrivateKey.generate(.mlKEM768)
        let signature = try p256.sign(message.span, as: .message, .ecdsa(.sha256))
        self[.signP256] = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try p256.sign(message.span, as: .message, .ecdsa(.sha256))
        }
        self[.signRSA2048] = try ProcessorTime.microseconds(perCallOf: operations / 10) {
            _ = try rsa.sign(message.span, as: .message, .rsaPSS(.sha256))
        }
        self[.verifyP256] = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try p256.publicKey.isValid(
                signature: signature.span, of: message.span, as: .message, .ecdsa(.sha256))
        }
        let peer = try PrivateKey.generate(.p256).publicKey
        self[.deriveSharedSecret] = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try p256.agree(with: peer)
        }
        self[.encapsulate] = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try mlKEM.publicKey.encapsulate()
        }
        self[.generateDataKeyPair] = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try PrivateKey.generate(.p256).pkcs8()
        }
    }
}
