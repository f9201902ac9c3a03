import Cryptography
import SecureMemory
import Testing

@Suite struct PublishedVectorTests {
    @Test(arguments: ["SHA256ShortMsg.rsp", "SHA256LongMsg.rsp"])
    func `SHA-256 gives the digests of NIST's byte vectors`(file: String) throws {
        let records = try VectorFile.records(in: "sha-256/\(file)", with: "MD")
        #expect(records.count > 60)
        for record in records {
            // "Len = 0" goes with "Msg = 00": the length decides (SHAVS §6.2).
            let length = try #require(Int(record.text("Len")))
            let message = try Array(record.bytes("Msg").prefix(length / 8))
            try #expect(SHA256.digest(message) == record.bytes("MD"), "Len = \(length)")
        }
    }

    @Test func `HMAC-SHA-256 gives the codes of RFC 4231`() throws {
        let records = try VectorFile.records(in: "hmac-sha-256/rfc-4231-sha256.txt", with: "MD")
        #expect(records.count == 6)
        for record in records {
            let (key, message, code) = try (record.bytes("Key"), record.bytes("Msg"), record.bytes("MD"))
            let secret = SecretBytes(key)
            try #expect(HMACSHA256.authenticate(message, key: key) == code)
            try #expect(HMACSHA256.authenticate(message, key: secret) == code)
            let derived = try HMACSHA256.deriveKey(from: message.span, key: key.span)
            #expect(derived.holds(code))
        }
    }

    @Test(arguments: ["ECBVarKey256.rsp", "ECBGFSbox256.rsp"])
    func `AES-256 encrypts NIST's known-answer blocks`(file: String) throws {
        let records = try VectorFile.records(in: "aes-ecb/\(file)", with: "KEY").filter { $0.section == "ENCRYPT" }
        #expect(records.count >= 5)
        for record in records {
            let key = try SecretBytes(record.bytes("KEY"))
            let block = try AES256ECB.encryptBlock(record.bytes("PLAINTEXT"), key: key)
            let expected = try record.bytes("CIPHERTEXT")
            #expect(block.holds(expected))
        }
    }

    @Test func `Counter mode derivation agrees with another implementation`() throws {
        let records = try VectorFile.records(in: "kbkdf/KDF_SP800_108_COUNTER.txt", with: "KOUT")
            .filter { $0.section == "HMAC-SHA-256" && $0.fields["RLEN"] == "32" }
        #expect(records.count > 50)
        for record in records {
            let key = try SecretBytes(record.bytes("KIN"))
            let expected = try record.bytes("KOUT")
            let derived = try CounterKDF.derive(
                from: key, label: record.bytes("LABEL"), context: record.bytes("CONTEXT"),
                count: expected.count)
            #expect(derived.holds(expected), "COUNT = \(record.fields["COUNT"] ?? "")")
        }
    }
}
