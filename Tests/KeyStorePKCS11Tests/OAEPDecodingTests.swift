internal import Conformance
internal import Cryptography
internal import KeyStorePKCS11
internal import PKCS11
internal import SecureMemory
internal import Testing

/// Blocks made here by the other half of RFC 8017 §7.1, whole and broken in every place that matters.
@Suite struct OAEPDecodingTests {
    static let hashes: [(MechanismHash, HashFunction)] = [(.sha1, .sha1), (.sha256, .sha256)]
    static let blockByteCount = 256

    /// DB = lHash ‖ PS ‖ 01 ‖ M, changed by `change` before it is masked.
    private static func block(
        _ message: [UInt8], _ hash: HashFunction, label: [UInt8] = [], first: UInt8 = 0,
        change: (inout [UInt8]) -> Void = { _ in }
    ) throws -> [UInt8] {
        let count = hash.byteCount
        var data = try hash.digest(label.span)
        data += [UInt8](repeating: 0, count: blockByteCount - message.count - 2 * count - 2) + [1] + message
        change(&data)
        let seed = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ 7) }
        let maskedData = zip(data, try mask(seed, data.count, hash)).map { $0 ^ $1 }
        let maskedSeed = zip(seed, try mask(maskedData, count, hash)).map { $0 ^ $1 }
        return [first] + maskedSeed + maskedData
    }

    /// MGF1 (RFC 8017 §B.2.1).
    private static func mask(_ seed: [UInt8], _ count: Int, _ hash: HashFunction) throws -> [UInt8] {
        var mask: [UInt8] = []
        var counter: UInt8 = 0
        while mask.count < count {
            mask += try hash.digest((seed + [0, 0, 0, counter]).span)
            counter += 1
        }
        return Array(mask.prefix(count))
    }

    @Test(arguments: hashes.indices)
    func `Messages of every length come back`(_ index: Int) throws {
        let (hash, function) = Self.hashes[index]
        for count in 0...(Self.blockByteCount - 2 * function.byteCount - 2) {
            let message = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let block = try Self.block(message, function)
            #expect(try OAEPDecoding.decode(SecretBytes(block), hash: hash)?.revealed == message)
        }
    }

    @Test(arguments: hashes.indices)
    func `A block that is broken anywhere is none`(_ index: Int) throws {
        let (hash, function) = Self.hashes[index]
        let message: [UInt8] = [1, 1, 1, 0, 2]
        var broken: [[UInt8]] = []
        for first: UInt8 in [1, 2, 0x80, 0xFF] { broken.append(try Self.block(message, function, first: first)) }
        broken.append(try Self.block(message, function, label: [1]))
        // Each byte of the label's hash and of the padding, with the values that the search for the 1 might mistake.
        let separator = Self.blockByteCount - function.byteCount - 2 - message.count
        for position in 0..<separator {
            for value: UInt8 in position < function.byteCount ? [0x01, 0x80] : [0x02, 0x80, 0xFF] {
                broken.append(try Self.block(message, function) { $0[position] ^= value })
            }
        }
        // No separator at all, or another one.
        for value: UInt8 in [0, 2, 0xFF] {
            broken.append(try Self.block([0, 0], function) { $0[$0.count - 3] = value })
        }
        broken.append([UInt8](repeating: 0, count: Self.blockByteCount))
        broken.append([UInt8](repeating: 0, count: 2 * function.byteCount + 1))
        broken.append([])
        for block in broken { #expect(try OAEPDecoding.decode(SecretBytes(block), hash: hash) == nil) }
    }

    /// A 1 in the padding ends it: the message is then longer, not broken.
    @Test func `The first 1 separates`() throws {
        let block = try Self.block([9], .sha256) { $0[40] = 1 }
        let message = try #require(try OAEPDecoding.decode(SecretBytes(block), hash: .sha256))
        #expect(message.count == Self.blockByteCount - 33 - 41)
        #expect(message.revealed.suffix(2) == [1, 9])
    }
}
