import Cryptography
import Foundation
import SecureMemory
import Testing

@Suite struct WycheproofSecretTests {
    @Test(arguments: [
        ("rsa_oaep_2048_sha1_mgf1sha1_test.json", HashFunction.sha1),
        ("rsa_oaep_2048_sha256_mgf1sha256_test.json", HashFunction.sha256),
    ])
    func `RSAES-OAEP decrypts what is valid and nothing else`(name: String, hash: HashFunction) throws {
        var (valid, invalid) = (0, 0)
        var errors: Set<String> = []
        for group in try WycheproofFile.read(name).testGroups {
            let key = try PrivateKey(group.bytes(\.privateKeyPkcs8), .rsa2048)
            for test in group.tests {
                let ciphertext = try test.bytes(\.ct)
                // The label is always empty here: another one must not open.
                if test.result == "valid", test.label == "" {
                    let opened = try key.decrypt(ciphertext, .rsaOAEP(hash))
                    try #expect(opened.holds(test.bytes(\.msg)), "tcId \(test.tcId)")
                    valid += 1
                } else {
                    let error = #expect(throws: CryptographyError.self, "tcId \(test.tcId)") {
                        _ = try key.decrypt(ciphertext, .rsaOAEP(hash))
                    }
                    errors.insert("\(try #require(error))")
                    invalid += 1
                }
            }
        }
        #expect(valid >= 8)
        #expect(invalid >= 19)
        // Whatever is wrong, the error is the same to the letter.
        #expect(errors.count == 1)
        #expect(errors.first?.hasPrefix("authenticationFailure") == true)
    }

    @Test func `ECDH on P-256 agrees where the public key is a point on the curve, and refuses the rest`() throws {
        var (valid, refused) = (0, 0)
        for group in try WycheproofFile.read("ecdh_secp256r1_test.json").testGroups {
            for test in group.tests {
                let spki = try test.bytes(\.public)
                guard test.result == "valid" else {
                    // "acceptable" is BER, explicit parameters and compressed points, none of which is taken here.
                    #expect(throws: CryptographyError(.invalidKey, ""), "tcId \(test.tcId) \(test.flags)") {
                        _ = try PublicKey(spki: spki, kind: .p256)
                    }
                    refused += 1
                    continue
                }
                let key = try PrivateKey(TestDER.privateKey(scalar: test.bytes(\.private), .p256), .p256)
                let shared = try key.agree(with: PublicKey(spki: spki, kind: .p256))
                try #expect(shared.holds(test.bytes(\.shared)), "tcId \(test.tcId)")
                valid += 1
            }
        }
        #expect(valid == 330)
        #expect(refused == 282)
    }

    private struct Encapsulations: Decodable {
        struct Case: Decodable {
            let tcId: Int
            let seed: String?
            let ek: String?
            let c: String
            let K: String
            let result: String
        }

        let tests: [Case]
    }

    @Test func `ML-KEM-768 makes the published keys of seeds and the published secrets of ciphertexts`() throws {
        let data = try VectorFile.contents(of: "wycheproof/mlkem_768_excerpt.json")
        var (valid, invalid) = (0, 0)
        for test in try JSONDecoder().decode(Encapsulations.self, from: data).tests {
            let seed = try [UInt8](fromHexadecimal: test.seed)
            let pkcs8 = TestDER.privateKey(seed: seed, .mlKEM768)
            guard test.result == "valid" else {
                // Seeds of another length.
                #expect(throws: CryptographyError(.invalidKey, ""), "tcId \(test.tcId)") {
                    _ = try PrivateKey(pkcs8, .mlKEM768)
                }
                invalid += 1
                continue
            }
            let key = try PrivateKey(pkcs8, .mlKEM768)
            let encoded = try [UInt8](fromHexadecimal: test.ek)
            #expect(key.publicKey.spki.suffix(encoded.count) == encoded[...], "tcId \(test.tcId)")
            // Also of ciphertexts that were tampered with: implicit rejection gives a published secret too.
            let secret = try key.decapsulate([UInt8](fromHexadecimal: test.c))
            try #expect(secret.holds([UInt8](fromHexadecimal: test.K)), "tcId \(test.tcId)")
            valid += 1
        }
        #expect(valid == 7)
        #expect(invalid == 3)
    }

    @Test(arguments: [
        ("rfc-4231-sha224.txt", MessageAuthentication.hmacSHA224),
        ("rfc-4231-sha384.txt", .hmacSHA384),
        ("rfc-4231-sha512.txt", .hmacSHA512),
    ])
    func `HMAC gives the codes of RFC 4231`(file: String, algorithm: MessageAuthentication) throws {
        let records = try VectorFile.records(in: "hmac-sha-2/\(file)", with: "MD")
        #expect(records.count == 6)
        for record in records {
            try #expect(
                algorithm.authenticate(record.bytes("Msg"), key: record.bytes("Key")) == record.bytes("MD"))
        }
    }
}
