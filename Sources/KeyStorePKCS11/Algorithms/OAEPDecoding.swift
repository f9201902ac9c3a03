package import Cryptography
package import PKCS11
package import SecureMemory

/// EME-OAEP decoding with an empty label (RFC 8017 §7.1.2, step 3), for tokens that do the bare RSA operation only.
///
/// Which of the checks failed must not be told, neither by the answer nor by the time: whoever can tell a first byte
/// that is not zero from other faults decrypts anything with a few thousand questions (Manger, CRYPTO 2001). So every
/// check is made for every block, without a branch or an index that depends on a secret, and their results are
/// looked at once, at the end. All that is secret stands in memory that is wiped.
package enum OAEPDecoding {
    /// - Parameter block: the result of the bare operation, exactly as long as the modulus.
    /// - Returns: the message, or nil if the block is not OAEP.
    package static func decode(
        _ block: SecretBytes, hash: MechanismHash
    ) throws(CryptographyError) -> SecretBytes? {
        let hashCount = hash.byteCount
        // Lengths are public.
        guard block.count >= 2 * hashCount + 2 else { return nil }
        let labelHash = try hash.digest([])
        var seed = [UInt8](repeating: 0, count: hashCount)
        defer { wipe(&seed) }
        var data = [UInt8](repeating: 0, count: block.count - hashCount - 1)
        defer { wipe(&data) }
        var first: UInt8 = 0
        block.withBytes { block in
            first = block[0]
            for index in 0..<hashCount { seed[index] = block[1 + index] }
            for index in data.indices { data[index] = block[1 + hashCount + index] }
        }
        try unmask(&seed, with: data, hash)
        try unmask(&data, with: seed, hash)

        // 0xFFFFFFFF where something is wrong.
        var wrong = ~isZero(first)
        for index in 0..<hashCount { wrong |= ~isZero(data[index] ^ labelHash[index]) }
        // Zeros, then the first byte that is not zero, which must be 1, then the message.
        var isFound: UInt32 = 0
        var separator: UInt32 = 0
        for index in hashCount..<data.count {
            let isOne = isZero(data[index] ^ 1)
            let isFirst = isOne & ~isFound
            separator = (separator & ~isFirst) | (UInt32(truncatingIfNeeded: index) & isFirst)
            wrong |= ~isFound & ~isOne & ~isZero(data[index])
            isFound |= isOne
        }
        wrong |= ~isFound
        guard wrong == 0 else { return nil }
        // From here on it is a message, and its length is the caller's to know.
        let start = Int(separator) + 1
        return SecretBytes(capacity: data.count - start) { output in
            for index in start..<data.count { output.append(data[index]) }
        }
    }

    /// XORs MGF1 of `source` (RFC 8017 §B.2.1) into `target`.
    private static func unmask(
        _ target: inout [UInt8], with source: [UInt8], _ hash: MechanismHash
    ) throws(CryptographyError) {
        var input = [UInt8](repeating: 0, count: source.count + 4)
        defer { wipe(&input) }
        for index in source.indices { input[index] = source[index] }
        var offset = 0
        while offset < target.count {
            let counter = UInt32(truncatingIfNeeded: offset / hash.byteCount)
            for index in 0..<4 {
                input[source.count + index] = UInt8(truncatingIfNeeded: counter >> UInt32(24 - 8 * index))
            }
            var mask = try hash.digest(input.span)
            for index in 0..<min(mask.count, target.count - offset) { target[offset + index] ^= mask[index] }
            wipe(&mask)
            offset += hash.byteCount
        }
    }

    /// All ones for zero, else all zeros.
    @inline(never)
    private static func isZero(_ byte: UInt8) -> UInt32 {
        // 0 - 1 borrows through the whole word, and no other byte does.
        UInt32(bitPattern: Int32(bitPattern: UInt32(byte) &- 1) >> 31)
    }
}
