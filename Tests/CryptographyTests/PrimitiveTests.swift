import Cryptography
import SecureMemory
import Testing

@Suite struct PrimitiveTests {
    private let key = SecretBytes([UInt8](repeating: 7, count: 32))
    private let iv = [UInt8](repeating: 9, count: 12)

    @Test func `A message opens only unchanged, under its key, IV and associated data`() throws {
        let plaintext = Array("attack at dawn".utf8)
        let associatedData = Array("header".utf8)
        let (ciphertext, tag) = try AES256GCM.seal(plaintext, key: key, iv: iv, associatedData: associatedData)
        let keyBytes = [UInt8](repeating: 7, count: 32)
        let parts = [ciphertext, tag, keyBytes, iv, associatedData]
        func open(_ parts: [[UInt8]]) throws -> SecretBytes {
            try AES256GCM.open(
                parts[0], tag: parts[1], key: SecretBytes(parts[2]), iv: parts[3], associatedData: parts[4])
        }
        try #expect(open(parts).holds(plaintext))
        for part in parts.indices {
            for bit in 0..<parts[part].count * 8 {
                var changed = parts
                changed[part][bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: CryptographyError(.authenticationFailure, "")) { _ = try open(changed) }
            }
        }
    }

    @Test(arguments: [0, 1, 4, 12, 15, 17, 32])
    func `A tag of another length never verifies`(count: Int) throws {
        let (ciphertext, tag) = try AES256GCM.seal([1, 2, 3], key: key, iv: iv, associatedData: [])
        let other = Array((tag + tag).prefix(count))
        #expect(throws: CryptographyError(.authenticationFailure, "")) {
            _ = try AES256GCM.open(ciphertext, tag: other, key: key, iv: iv, associatedData: [])
        }
    }

    @Test(arguments: [0, 16, 24, 31, 33])
    func `A key of another length is refused`(count: Int) {
        let short = SecretBytes([UInt8](repeating: 1, count: count))
        #expect(throws: CryptographyError(.invalidLength, "")) {
            _ = try AES256GCM.seal([1], key: short, iv: iv, associatedData: [])
        }
        #expect(throws: CryptographyError(.invalidLength, "")) {
            _ = try AES256ECB.encryptBlock([UInt8](repeating: 0, count: 16), key: short)
        }
    }

    @Test(arguments: [0, 129])
    func `An IV of an impossible length is refused`(count: Int) {
        let other = [UInt8](repeating: 1, count: count)
        #expect(throws: CryptographyError(.invalidLength, "")) {
            _ = try AES256GCM.seal([1], key: key, iv: other, associatedData: [])
        }
    }

    @Test(arguments: [0, 15, 17, 32])
    func `A block of another length is refused`(count: Int) {
        #expect(throws: CryptographyError(.invalidLength, "")) {
            _ = try AES256ECB.encryptBlock([UInt8](repeating: 0, count: count), key: key)
        }
    }

    @Test func `An error names no byte of the key and leaves no trace for the next call`() throws {
        let secret = SecretBytes(Array("hunter2".utf8))
        let error = #expect(throws: CryptographyError.self) {
            _ = try AES256GCM.seal([1], key: secret, iv: iv, associatedData: [])
        }
        #expect(error.map { "\($0)".contains("hunter") } == false)
        #expect(error?.reason == "an AES-256 key has 32 bytes, not 7")
        try #expect(SHA256.digest([]).count == 32)
    }

    @Test func `Derived keys differ by label, context and length`() throws {
        func derive(_ label: String, _ context: [UInt8], _ count: Int) throws -> [UInt8] {
            let derived = try CounterKDF.derive(
                from: key, label: Array(label.utf8), context: context, count: count)
            return derived.withBytes { span in span.indices.map { span[$0] } }
        }
        let first = try derive("a", [1], 32)
        try #expect(first == derive("a", [1], 32))
        try #expect(first != derive("b", [1], 32))
        try #expect(first != derive("a", [2], 32))
        // L is part of the fixed input: a longer key does not begin with the shorter one.
        try #expect(first != Array(derive("a", [1], 64).prefix(32)))
    }

    @Test(arguments: [-1, 0, 8_161])
    func `A derived key of an impossible length is refused`(count: Int) {
        #expect(throws: CryptographyError(.invalidLength, "")) {
            _ = try CounterKDF.derive(from: key, label: "a", context: [], count: count)
        }
    }

    @Test func `A label with a zero byte is refused because it would be ambiguous`() {
        #expect(throws: CryptographyError(.failure, "")) {
            _ = try CounterKDF.derive(from: key, label: [0x61, 0, 0x62], context: [], count: 32)
        }
    }

    @Test func `An empty key authenticates like any other`() throws {
        // RFC 2104: a short key is padded with zero bytes, so an empty one equals 64 of them.
        let none: [UInt8] = []
        let zeros = [UInt8](repeating: 0, count: 64)
        let message = Array("message".utf8)
        try #expect(
            HMACSHA256.authenticate(message, key: none) == HMACSHA256.authenticate(message, key: zeros))
        try #expect(HMACSHA256.authenticate(none, key: zeros).count == 32)
    }

    @Test func `HMAC calls on many threads do not disturb each other`() async throws {
        let expected = try (0..<64).map { try HMACSHA256.authenticate([UInt8($0)], key: [UInt8(255 - $0)]) }
        let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    var wrong = 0
                    for round in 0..<512 {
                        let input = (round &* 31 &+ task) % 64
                        let code = try HMACSHA256.authenticate([UInt8(input)], key: [UInt8(255 - input)])
                        if code != expected[input] { wrong += 1 }
                    }
                    return wrong
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(wrong == 0)
    }

    @Test func `Random bytes have the length asked for and do not repeat`() throws {
        try #expect(SystemRandom.bytes(0).isEmpty)
        try #expect(SystemRandom.secret(0).count == 0)
        let drawn = try (0..<1_000).map { _ in try SystemRandom.bytes(16) }
        #expect(Set(drawn).count == 1_000)
        #expect(drawn.allSatisfy { $0.count == 16 })
        let (first, second) = try (SystemRandom.secret(32), SystemRandom.secret(32))
        #expect(first.count == 32)
        let copy = first.withBytes { span in span.indices.map { span[$0] } }
        #expect(!second.holds(copy))
    }

    @Test(arguments: [-1, 1 << 20 + 1, Int.max])
    func `An impossible count of random bytes is refused`(count: Int) {
        #expect(throws: CryptographyError(.invalidLength, "")) { _ = try SystemRandom.bytes(count) }
        #expect(throws: CryptographyError(.invalidLength, "")) { _ = try SystemRandom.secret(count) }
    }
}
