import KMSCore
import KMSModel
import Testing

struct EncryptionContextTests {
    @Test func `Parts cannot move between key and value`() throws {
        #expect(try EncryptionContext.canonicalBytes(["ab": "c"]) != EncryptionContext.canonicalBytes(["a": "bc"]))
    }

    @Test func `Every part is preceded by its length`() throws {
        #expect(
            try EncryptionContext.canonicalBytes(["b": "", "a": "xy"])
                == [0, 0, 0, 1, 0x61, 0, 0, 0, 2, 0x78, 0x79, 0, 0, 0, 1, 0x62, 0, 0, 0, 0])
    }

    @Test func `Empty and absent are alike`() throws {
        #expect(try EncryptionContext.canonicalBytes(nil) == [])
        #expect(try EncryptionContext.canonicalBytes([:]) == [])
    }

    @Test func `Canonically equivalent texts differ`() throws {
        let composed: [Text: Text] = ["\u{e9}": "1"]
        let decomposed: [Text: Text] = ["e\u{301}": "1"]
        #expect(try EncryptionContext.canonicalBytes(composed) != EncryptionContext.canonicalBytes(decomposed))
    }

    @Test func `A context over 8192 bytes is refused`() throws {
        let fits: [Text: Text] = ["k": Text(String(repeating: "v", count: 8192 - 9))]
        #expect(try EncryptionContext.canonicalBytes(fits).count == 8192)
        let large: [Text: Text] = ["k": Text(String(repeating: "v", count: 8192 - 8))]
        #expect { try EncryptionContext.canonicalBytes(large) } throws: { ($0 as? KMSError)?.code == .validation }
    }
}
