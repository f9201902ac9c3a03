import Cryptography
import Foundation
import SecureMemory
import Testing

@Suite struct WycheproofGCMTests {
    private struct File: Decodable {
        struct Group: Decodable {
            let keySize: Int
            let tagSize: Int
            let tests: [Case]
        }

        struct Case: Decodable {
            let tcId: Int
            let key: String
            let iv: String
            let aad: String
            let msg: String
            let ct: String
            let tag: String
            let result: String
        }

        let numberOfTests: Int
        let testGroups: [Group]
    }

    private static func cases() throws -> [File.Case] {
        let file = try JSONDecoder().decode(File.self, from: VectorFile.contents(of: "aes-gcm/aes_gcm_test.json"))
        return file.testGroups.filter { $0.keySize == 256 && $0.tagSize == 128 }.flatMap(\.tests)
    }

    @Test func `Valid messages seal to the published ciphertext and open again`() throws {
        let cases = try Self.cases().filter { $0.result == "valid" }
        #expect(cases.count > 50)
        for test in cases {
            let key = try SecretBytes(bytes(test.key))
            let (iv, associatedData, message) = try (bytes(test.iv), bytes(test.aad), bytes(test.msg))
            let (ciphertext, tag) = try (bytes(test.ct), bytes(test.tag))
            guard AES256GCM.ivByteCounts.contains(iv.count) else {
                // libcrypto takes IVs of up to 128 bytes (GCM_IV_MAX_SIZE); the file has one of 257.
                #expect(throws: CryptographyError(.invalidLength, ""), "tcId \(test.tcId)") {
                    _ = try AES256GCM.seal(message, key: key, iv: iv, associatedData: associatedData)
                }
                continue
            }
            let sealed = try AES256GCM.seal(message, key: key, iv: iv, associatedData: associatedData)
            #expect(sealed.ciphertext == ciphertext, "tcId \(test.tcId)")
            #expect(sealed.tag == tag, "tcId \(test.tcId)")
            let opened = try AES256GCM.open(ciphertext, tag: tag, key: key, iv: iv, associatedData: associatedData)
            #expect(opened.holds(message), "tcId \(test.tcId)")
        }
    }

    @Test func `Invalid messages are refused, every one`() throws {
        let cases = try Self.cases().filter { $0.result == "invalid" }
        #expect(cases.count > 20)
        for test in cases {
            let key = try SecretBytes(bytes(test.key))
            let iv = try bytes(test.iv)
            // An IV of no bytes is an invalid parameter; everything else is a forged message.
            let expected = CryptographyError(iv.isEmpty ? .invalidLength : .authenticationFailure, "")
            #expect(throws: expected, "tcId \(test.tcId)") {
                _ = try AES256GCM.open(
                    bytes(test.ct), tag: bytes(test.tag), key: key, iv: iv, associatedData: bytes(test.aad))
            }
        }
    }

    private func bytes(_ digits: String) throws -> [UInt8] { try #require([UInt8](hexadecimal: digits)) }
}
