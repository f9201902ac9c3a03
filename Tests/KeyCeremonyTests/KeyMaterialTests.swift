import Foundation
import KMSModel
import KeyCeremony
import SecureMemory
import Testing

/// What is taken for key material, and in which form it goes on.
@Suite struct KeyMaterialTests {
    private func refusal(_ contents: [UInt8], _ keySpec: KeySpec) -> String {
        let error = #expect(throws: CeremonyError.self) {
            _ = try KeyMaterial(contents: SecretBytes(contents), for: keySpec, name: "key.bin")
        }
        return error?.description ?? ""
    }

    @Test(arguments: [
        (KeySpec.symmetricDefault, 32), (.hmac224, 28), (.hmac256, 32), (.hmac384, 48), (.hmac512, 64),
    ])
    func `Raw material has exactly the length of its key spec`(keySpec: KeySpec, count: Int) throws {
        let bytes = (0..<count).map { UInt8($0) }
        #expect(try KeyMaterial(contents: SecretBytes(bytes), for: keySpec, name: "key.bin").bytes.holds(bytes))
        #expect(try KeyMaterial.generate(keySpec).bytes.count == count)
        for wrong in [bytes + [10], Array(bytes.dropLast())] {
            #expect(refusal(wrong, keySpec).contains("key.bin holds \(wrong.count) bytes"))
        }
    }

    @Test(arguments: [
        (KeySpec.rsa2048, "genrsa -traditional -out key.pem 2048", "rsa"),
        (.rsa3072, "genrsa -traditional -out key.pem 3072", "rsa"),
        (.rsa4096, "genrsa -traditional -out key.pem 4096", "rsa"),
        (.eccNistP256, "ecparam -genkey -name prime256v1 -out key.pem", "ec"),
        (.eccNistP384, "ecparam -genkey -name secp384r1 -out key.pem", "ec"),
        (.eccNistP521, "ecparam -genkey -name secp521r1 -out key.pem", "ec"),
        (.eccSecgP256k1, "ecparam -genkey -name secp256k1 -out key.pem", "ec"),
    ])
    func `A private key in any of its forms becomes the same PKCS 8`(
        keySpec: KeySpec, generation: String, type: String
    ) throws {
        let openssl = try OpenSSL()
        try openssl.run(generation)
        try openssl.run("\(type) -in key.pem -outform DER -out key.der")
        try openssl.run("pkcs8 -topk8 -nocrypt -in key.pem -out pkcs8.pem")
        try openssl.run("pkcs8 -topk8 -nocrypt -in key.pem -outform DER -out pkcs8.der")
        let expected = try openssl.read("pkcs8.der")
        for name in ["key.pem", "key.der", "pkcs8.pem", "pkcs8.der"] {
            let material = try KeyMaterial(contents: openssl.secret(name), for: keySpec, name: name)
            #expect(material.bytes.holds(expected), "\(name)")
        }
        // An editor's line endings, and words around the block.
        let text = String(decoding: try openssl.read("pkcs8.pem"), as: UTF8.self)
        let edited = "the key\r\n" + text.replacing("\n", with: "\r\n") + "and more"
        let material = try KeyMaterial(contents: SecretBytes(Array(edited.utf8)), for: keySpec, name: "edited")
        #expect(material.bytes.holds(expected))
    }

    @Test func `Keys of another kind, and files without a private key, are refused by name`() throws {
        let openssl = try OpenSSL()
        try openssl.run("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out p256.pem")
        try openssl.run("ec -in p256.pem -out sec1.pem")
        try openssl.run("genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem")
        try openssl.run("pkey -in rsa.pem -pubout -out public.pem")
        try openssl.run("pkcs8 -topk8 -in rsa.pem -passout pass:x -out encrypted.pem")
        try openssl.run("rsa -traditional -aes128 -in rsa.pem -passout pass:x -out proc-type.pem")
        try openssl.run("ec -in p256.pem -param_enc explicit -out explicit.pem")
        try openssl.run("pkcs8 -topk8 -nocrypt -in explicit.pem -out explicit8.pem")
        for (name, keySpec) in [
            ("p256.pem", KeySpec.eccSecgP256k1), ("sec1.pem", .eccSecgP256k1), ("sec1.pem", .eccNistP384),
            ("p256.pem", .rsa2048), ("rsa.pem", .rsa3072), ("rsa.pem", .eccNistP256),
            ("explicit.pem", .eccNistP256), ("explicit8.pem", .eccNistP256),
        ] {
            #expect(
                try refusal(openssl.read(name), keySpec).contains(
                    "cannot be the material of a \(keySpec.rawValue) key"),
                "\(name)")
        }
        #expect(try refusal(openssl.read("public.pem"), .rsa2048).contains("no private key but PUBLIC KEY"))
        #expect(try refusal(openssl.read("encrypted.pem"), .rsa2048).contains("is encrypted"))
        #expect(try refusal(openssl.read("proc-type.pem"), .rsa2048).contains("is encrypted"))
        #expect(refusal(Array("-----BEGIN PRIVATE KEY-----\nMIIB".utf8), .rsa2048).contains("does not end it"))
        let notBase64 = "-----BEGIN PRIVATE KEY-----\nMII!\n-----END PRIVATE KEY-----\n"
        #expect(refusal(Array(notBase64.utf8), .rsa2048).contains("not base64"))
        #expect(refusal([0x30, 0x03, 0x02, 0x01, 0x00], .rsa2048).contains("cannot be the material"))
        #expect(refusal([1, 2, 3], .eccNistP256).contains("cannot be the material"))
    }

    @Test func `A key whose parts do not belong together is refused`() throws {
        let openssl = try OpenSSL()
        try openssl.run("ecparam -genkey -noout -name prime256v1 -outform DER -out key.der")
        var bytes = try openssl.read("key.der")
        // ECPrivateKey: the scalar begins after the header, the version and its own header.
        bytes[20] ^= 1
        #expect(refusal(bytes, .eccNistP256).contains("cannot be the material"))
    }

    @Test(arguments: [KeySpec.mlDsa65, .mlKem768, .sm2, .eccNistEdwards25519])
    func `What cannot be imported is refused at once`(keySpec: KeySpec) {
        #expect(refusal([1], keySpec).contains("cannot be imported"))
        #expect(throws: CeremonyError.self) { _ = try KeyMaterial.generate(keySpec) }
    }

    @Test func `Material that is made here is new each time`() throws {
        let first = try KeyMaterial.generate(.symmetricDefault)
        let second = try KeyMaterial.generate(.symmetricDefault)
        let isSame = first.bytes.withBytes { first in
            second.bytes.withBytes { second in constantTimeEquals(first, second) }
        }
        #expect(!isSame)
        #expect(try KeyMaterial.generate(.eccNistP384).bytes.count == 185)
    }
}
