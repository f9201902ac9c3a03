import Cryptography
import KeyStoreSoftware
import SecureMemory
import Testing

@Suite struct SealingTests {
    private let rootKey: RootKey
    private let secret = Array("1234567".utf8)
    private let associatedData = Array("store-1".utf8)

    init() throws { rootKey = try RootKey(SystemRandom.secret(RootKey.byteCount)) }

    private func seal() throws -> [UInt8] {
        try rootKey.seal(SecretBytes(secret), purpose: "pin", associatedData: associatedData)
    }

    private func expectRefusal(
        _ sealed: [UInt8], by other: RootKey? = nil, purpose: String = "pin", _ data: [UInt8]? = nil
    ) {
        #expect(throws: CryptographyError(.authenticationFailure, "")) {
            _ = try (other ?? rootKey).open(sealed, purpose: purpose, associatedData: data ?? associatedData)
        }
    }

    @Test(arguments: [0, 1, 32, 5_000])
    func `A sealed secret opens to the same bytes`(count: Int) throws {
        let bytes = try SystemRandom.bytes(count)
        let sealed = try rootKey.seal(SecretBytes(bytes), purpose: "pin", associatedData: associatedData)
        // Version, nonce, tag.
        #expect(sealed.count == count + 33)
        try #expect(rootKey.open(sealed, purpose: "pin", associatedData: associatedData).holds(bytes))
    }

    @Test func `A sealed secret does not contain the secret and never looks the same`() throws {
        let sealed = try (0..<50).map { _ in try seal() }
        #expect(Set(sealed).count == 50)
        #expect(sealed.allSatisfy { !$0.contains(secret) })
    }

    @Test func `Another root key, purpose or associated data opens nothing`() throws {
        let sealed = try seal()
        try expectRefusal(sealed, by: RootKey(SystemRandom.secret(32)))
        expectRefusal(sealed, purpose: "server-secret")
        expectRefusal(sealed, purpose: "")
        expectRefusal(sealed, [])
        expectRefusal(sealed, associatedData + [0])
    }

    @Test func `Any changed bit and any truncation is refused`() throws {
        let sealed = try seal()
        for bit in 0..<sealed.count * 8 {
            var changed = sealed
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            expectRefusal(changed)
        }
        for count in 0..<sealed.count { expectRefusal(Array(sealed.prefix(count))) }
        expectRefusal(sealed + [0])
    }

    @Test(arguments: [0, 16, 31, 33])
    func `A root key of another length is refused`(count: Int) {
        #expect(throws: CryptographyError(.invalidLength, "")) {
            _ = try RootKey(SecretBytes([UInt8](repeating: 1, count: count)))
        }
    }
}
