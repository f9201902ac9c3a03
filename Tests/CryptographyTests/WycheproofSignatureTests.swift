import Cryptography
import SecureMemory
import Testing

@Suite struct WycheproofSignatureTests {
    /// Verifies every case of a file. "acceptable" ones are left out: they may go either way.
    private func verifyAll(_ name: String, _ kind: AsymmetricKeyKind, _ scheme: SignatureScheme) throws -> (Int, Int) {
        var (valid, invalid) = (0, 0)
        for group in try WycheproofFile.read(name).testGroups {
            guard let encoded = group.publicKeyDer,
                let key = try? PublicKey(spki: [UInt8](fromHexadecimal: encoded), kind: kind)
            else {
                // A public key that is none verifies nothing. An exponent of 3 is not taken: FIPS 186-5 §5.1 wants more
                // than 2^16.
                for test in group.tests where !test.flags.contains("SmallPublicKey") {
                    #expect(test.result == "invalid", "tcId \(test.tcId)")
                    invalid += 1
                }
                continue
            }
            for test in group.tests where test.result != "acceptable" {
                let (message, signature) = try (test.bytes(\.msg), test.bytes(\.sig))
                let expected = test.result == "valid"
                try #expect(
                    key.isValid(signature, of: message, as: .message, scheme) == expected, "tcId \(test.tcId)")
                if let hash = scheme.digest {
                    try #expect(
                        key.isValid(signature, of: hash.digest(message), as: .digest, scheme) == expected,
                        "tcId \(test.tcId), digest")
                }
                if expected { valid += 1 } else { invalid += 1 }
            }
        }
        return (valid, invalid)
    }

    @Test func `ECDSA on P-256 takes what is valid and nothing else`() throws {
        let (valid, invalid) = try verifyAll("ecdsa_secp256r1_sha256_test.json", .p256, .ecdsa(.sha256))
        #expect(valid == 174)
        #expect(invalid == 310)
    }

    @Test func `RSASSA-PSS takes what is valid and nothing else`() throws {
        let (valid, invalid) = try verifyAll("rsa_pss_2048_sha256_mgf1_32_test.json", .rsa2048, .rsaPSS(.sha256))
        #expect(valid == 63)
        #expect(invalid == 45)
    }

    @Test(arguments: [
        ("ecdsa_secp384r1_sha384_excerpt.json", AsymmetricKeyKind.p384, SignatureScheme.ecdsa(.sha384), 20, 31),
        ("ecdsa_secp521r1_sha512_excerpt.json", .p521, .ecdsa(.sha512), 20, 30),
        ("rsa_signature_2048_sha256_excerpt.json", .rsa2048, .rsaPKCS1(.sha256), 3, 27),
        ("rsa_signature_3072_sha384_excerpt.json", .rsa3072, .rsaPKCS1(.sha384), 3, 27),
        ("rsa_signature_4096_sha512_excerpt.json", .rsa4096, .rsaPKCS1(.sha512), 3, 27),
        ("rsa_pss_2048_sha384_mgf1_48_excerpt.json", .rsa2048, .rsaPSS(.sha384), 8, 5),
        ("rsa_pss_4096_sha512_mgf1_64_excerpt.json", .rsa4096, .rsaPSS(.sha512), 8, 5),
        ("mldsa_65_verify_excerpt.json", .mlDSA65, .mlDSA, 10, 15),
        ("mldsa_87_verify_excerpt.json", .mlDSA87, .mlDSA, 11, 16),
    ])
    func `Other curves, moduli and parameter sets take what is valid and nothing else`(
        file: String, kind: AsymmetricKeyKind, scheme: SignatureScheme, valid: Int, invalid: Int
    ) throws {
        let found = try verifyAll(file, kind, scheme)
        #expect(found == (valid, invalid))
    }

    @Test func `Ed25519 takes what is valid and nothing else`() throws {
        let (valid, invalid) = try verifyAll("ed25519_test.json", .ed25519, .ed25519)
        #expect(valid == 117)
        #expect(invalid == 64)
    }

    @Test func `RSASSA-PKCS1-v1_5 signs to the published bytes`() throws {
        var count = 0
        for group in try WycheproofFile.read("rsa_pkcs1_2048_sig_gen_test.json").testGroups {
            let hash: HashFunction
            switch group.sha {
            case "SHA-256": hash = .sha256
            case "SHA-384": hash = .sha384
            case "SHA-512": hash = .sha512
            default: continue
            }
            for test in group.tests {
                let (message, signature) = try (test.bytes(\.msg), test.bytes(\.sig))
                let pkcs8 = try group.bytes(\.privateKeyPkcs8)
                if test.flags.contains("SmallPublicKey") {
                    // An exponent of 3: FIPS 186-5 §5.1 wants more than 2^16.
                    #expect(throws: CryptographyError(.invalidKey, ""), "tcId \(test.tcId)") {
                        _ = try PrivateKey(pkcs8, .rsa2048)
                    }
                    continue
                }
                let key = try PrivateKey(pkcs8, .rsa2048)
                try #expect(key.sign(message, as: .message, .rsaPKCS1(hash)) == signature, "tcId \(test.tcId)")
                try #expect(
                    key.sign(hash.digest(message), as: .digest, .rsaPKCS1(hash)) == signature, "tcId \(test.tcId)")
                try #expect(key.publicKey.isValid(signature, of: message, as: .message, .rsaPKCS1(hash)))
                count += 1
            }
        }
        #expect(count >= 24)
    }

    @Test func `ML-DSA-44 opens the published seeds and takes the published signatures`() throws {
        var (valid, representatives) = (0, 0)
        for group in try WycheproofFile.read("mldsa_44_sign_seed_test.json").testGroups {
            guard let digits = group.privateKeyPkcs8 else { continue }
            let pkcs8 = try #require([UInt8](hexadecimal: digits))
            guard let encoded = group.publicKey?.value.flatMap({ [UInt8](hexadecimal: $0) }) else {
                // A seed of another length has no public key.
                #expect(throws: CryptographyError(.invalidKey, "")) { _ = try PrivateKey(pkcs8, .mlDSA44) }
                continue
            }
            let key = try PrivateKey(pkcs8, .mlDSA44)
            #expect(key.publicKey.spki.suffix(encoded.count) == encoded[...])
            try #expect(key.pkcs8().holds(pkcs8))
            // Contexts other than the empty one are not offered.
            for test in group.tests where test.result == "valid" && (test.ctx ?? "").isEmpty && test.msg != nil {
                let (message, signature) = try (test.bytes(\.msg), test.bytes(\.sig))
                try #expect(
                    key.publicKey.isValid(signature, of: message, as: .message, .mlDSA), "tcId \(test.tcId)")
                var changed = signature
                changed[test.tcId % signature.count] ^= 1
                try #expect(!key.publicKey.isValid(changed, of: message, as: .message, .mlDSA))
                valid += 1
                guard test.mu != nil else { continue }
                // FIPS 204 §6.2: what signs µ signs the message that µ represents.
                let own = try key.sign(test.bytes(\.mu), as: .representative, .mlDSA)
                try #expect(key.publicKey.isValid(own, of: message, as: .message, .mlDSA), "tcId \(test.tcId), µ")
                representatives += 1
            }
        }
        #expect(valid > 50)
        #expect(representatives > 50)
    }
}
