internal import Cryptography

/// What one key store operation costs when nothing stands in front of it, in microseconds of CPU time.
struct StoreFloor: Codable {
    /// AES-256-GCM of 32 bytes.
    let encrypt: Double
    /// The reverse.
    let decrypt: Double

    /// The software floor: libcrypto, in a loop.
    static func software(operations: Int = 100_000) throws -> StoreFloor {
        let key = try SystemRandom.secret(AES256GCM.keyByteCount)
        let iv = try SystemRandom.bytes(12)
        let none: [UInt8] = []
        let plaintext = [UInt8](repeating: 7, count: 32)
        let message = try AES256GCM.seal(
            plaintext: plaintext.span, key: key, iv: iv.span, associatedData: none.span
        )
        let encrypt = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try AES256GCM.seal(plaintext: plaintext.span, key: key, iv: iv.span, associatedData: none.span)
        }
        let decrypt = try ProcessorTime.microseconds(perCallOf: operations) {
            _ = try AES256GCM.open(
                ciphertext: message.ciphertext.span, tag: message.tag.span, key: key, iv: iv.span,
                associatedData: none.span
            )
        }
        return StoreFloor(encrypt: encrypt, decrypt: decrypt)
    }
}
