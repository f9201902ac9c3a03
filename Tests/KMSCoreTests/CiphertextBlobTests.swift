import KMSCore
import KMSModel
import KeyStores
import Testing

struct CiphertextBlobTests {
    private static let software = CiphertextBlob(
        suite: .derivedKeyAES256GCM, keyID: "1234abcd-12ab-34cd-56ef-1234567890ab",
        materialID: Array(0..<32),
        message: SealedMessage(
            nonce: Array(repeating: 7, count: 16), iv: [], ciphertext: [1, 2, 3], tag: Array(repeating: 9, count: 16)))

    private static let token = CiphertextBlob(
        suite: .directAES256GCM, keyID: "mrk-1234abcd12ab34cd56ef1234567890ab", materialID: Array(32..<64),
        message: SealedMessage(
            nonce: [], iv: Array(repeating: 5, count: 12), ciphertext: [4], tag: Array(repeating: 8, count: 16)))

    @Test(arguments: [software, token])
    func `A blob reads back as it was written`(blob: CiphertextBlob) {
        #expect(CiphertextBlob(blob.bytes) == blob)
    }

    // A blob written today must decrypt in ten years: these bytes are the contract of docs/ciphertext-blob.md.
    @Test func `Version 1 has the documented bytes`() {
        let header: [UInt8] =
            [1, 1, 0, 0x12, 0x34, 0xab, 0xcd, 0x12, 0xab, 0x34, 0xcd, 0x56, 0xef, 0x12, 0x34, 0x56, 0x78, 0x90, 0xab]
        let expected =
            header + Array(0..<32) + [16] + Array(repeating: 7, count: 16) + [0] + [1, 2, 3]
            + Array(repeating: 9, count: 16)
        #expect(Self.software.bytes == expected)
        #expect(Self.token.bytes[..<3] == [1, 2, 1])
    }

    @Test(arguments: [software, token])
    func `No part of a blob is a blob`(blob: CiphertextBlob) {
        let bytes = blob.bytes
        // Without its last bytes a blob is shorter by ciphertext, which the tag catches; without more, it is none.
        for count in 0...(bytes.count - blob.message.ciphertext.count) {
            #expect(CiphertextBlob(Array(bytes.prefix(count))) == nil)
        }
    }

    @Test func `Other versions, suites, key id forms and lengths are refused`() {
        let bytes = Self.software.bytes
        for (index, value) in [(0, 2), (0, 0), (1, 0), (1, 3), (2, 2), (51, 15), (51, 255), (68, 12)] {
            var changed = bytes
            changed[index] = UInt8(value)
            #expect(CiphertextBlob(changed) == nil, "byte \(index) = \(value)")
        }
    }

    @Test func `Random bytes never trap`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let count = Int.random(in: 0..<200, using: &generator)
            var bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            if count > 2 { bytes.replaceSubrange(0..<3, with: [1, UInt8.random(in: 1...2), UInt8.random(in: 0...1)]) }
            _ = CiphertextBlob(bytes)
        }
    }

    @Test func `4096 bytes of plaintext fit in the 6144 bytes of a CiphertextBlob`() {
        let message = SealedMessage(
            nonce: Array(repeating: 0, count: 16), iv: [], ciphertext: Array(repeating: 0, count: 4096),
            tag: Array(repeating: 0, count: 16))
        let blob = CiphertextBlob(
            suite: .derivedKeyAES256GCM, keyID: Self.software.keyID, materialID: Array(0..<32), message: message)
        #expect(blob.bytes.count <= 6144)
    }
}
