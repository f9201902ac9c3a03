import Cryptography
import Foundation
import SecureMemory
import Testing

/// Keys, signatures and ciphertexts go both ways between this module and the `openssl` command.
@Suite struct OpenSSLInteropTests {
    /// A folder of files that one test exchanges with `openssl`.
    final class Exchange {
        let folder: URL

        init() throws {
            folder = FileManager.default.temporaryDirectory.appending(path: "interop-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func write(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: folder.appending(path: name))
        }

        func read(_ name: String) throws -> [UInt8] { try Array(Data(contentsOf: folder.appending(path: name))) }

        /// Whether `openssl` with these words, in the folder, says yes.
        func openssl(_ words: String) throws -> Bool {
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["openssl"] + words.split(separator: " ").map(String.init)
            process.currentDirectoryURL = folder
            (process.standardOutput, process.standardError) = (Pipe(), Pipe())
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
    }

    private let message = Array("between two implementations".utf8)

    private static let signatures: [(AsymmetricKeyKind, SignatureScheme, String)] = [
        (.rsa2048, .rsaPKCS1(.sha256), "-sha256"),
        (.rsa3072, .rsaPKCS1(.sha384), "-sha384"),
        (.rsa4096, .rsaPKCS1(.sha512), "-sha512"),
        (.rsa2048, .rsaPSS(.sha256), "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32"),
        (.rsa3072, .rsaPSS(.sha384), "-sha384 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:48"),
        (.rsa4096, .rsaPSS(.sha512), "-sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:64"),
        (.p256, .ecdsa(.sha256), "-sha256"),
        (.p384, .ecdsa(.sha384), "-sha384"),
        (.p521, .ecdsa(.sha512), "-sha512"),
        (.secp256k1, .ecdsa(.sha256), "-sha256"),
    ]

    @Test(arguments: signatures)
    func `Signatures verify on the other side, both ways`(
        kind: AsymmetricKeyKind, scheme: SignatureScheme, options: String
    ) throws {
        let exchange = try Exchange()
        let key = try TestKeys.key(kind)
        try exchange.write("key.der", key.pkcs8().copy)
        try exchange.write("public.der", key.publicKey.spki)
        try exchange.write("message", message)
        try exchange.write("ours", key.sign(message, as: .message, scheme))
        #expect(
            try exchange.openssl("dgst \(options) -keyform DER -verify public.der -signature ours message"))
        try exchange.write("message", message + [0])
        #expect(
            try !exchange.openssl("dgst \(options) -keyform DER -verify public.der -signature ours message"))
        #expect(try exchange.openssl("dgst \(options) -keyform DER -sign key.der -out theirs message"))
        let theirs = try exchange.read("theirs")
        try #expect(key.publicKey.isValid(theirs, of: message + [0], as: .message, scheme))
        try #expect(!key.publicKey.isValid(theirs, of: message, as: .message, scheme))
    }

    @Test func `PSS signatures with a salt of another length do not verify`() throws {
        let exchange = try Exchange()
        let key = try TestKeys.key(.rsa2048)
        try exchange.write("key.der", key.pkcs8().copy)
        try exchange.write("message", message)
        for count in [0, 20, 31, 33] {
            #expect(
                try exchange.openssl(
                    "dgst -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:\(count) -keyform DER "
                        + "-sign key.der -out theirs message"))
            try #expect(
                !key.publicKey.isValid(exchange.read("theirs"), of: message, as: .message, .rsaPSS(.sha256)))
        }
    }

    @Test func `Ed25519 signatures are the same bytes on both sides`() throws {
        let exchange = try Exchange()
        let key = try TestKeys.key(.ed25519)
        try exchange.write("key.der", key.pkcs8().copy)
        try exchange.write("message", message)
        #expect(try exchange.openssl("pkeyutl -sign -rawin -keyform DER -inkey key.der -in message -out theirs"))
        try #expect(key.sign(message, as: .message, .ed25519) == exchange.read("theirs"))
    }

    @Test(
        .enabled(
            if: AlgorithmAvailability.current.refusal(of: .generation, for: .sm2) == nil,
            "the installed libcrypto has no SM2"))
    func `SM2 signatures verify and ciphertexts open on the other side, both ways`() throws {
        let exchange = try Exchange()
        let key = try TestKeys.key(.sm2)
        try exchange.write("key.der", key.pkcs8().copy)
        try exchange.write("public.der", key.publicKey.spki)
        try exchange.write("message", message)
        try exchange.write("ours", key.sign(message, as: .message, .sm2))
        let options = "-rawin -digest sm3 -keyform DER -pkeyopt distid:1234567812345678"
        #expect(
            try exchange.openssl("pkeyutl -verify \(options) -pubin -inkey public.der -in message -sigfile ours"))
        #expect(try exchange.openssl("pkeyutl -sign \(options) -inkey key.der -in message -out theirs"))
        try #expect(key.publicKey.isValid(exchange.read("theirs"), of: message, as: .message, .sm2))

        try exchange.write("ciphertext", key.publicKey.encrypt(message, .sm2))
        #expect(try exchange.openssl("pkeyutl -decrypt -keyform DER -inkey key.der -in ciphertext -out plaintext"))
        try #expect(exchange.read("plaintext") == message)
        #expect(
            try exchange.openssl("pkeyutl -encrypt -keyform DER -pubin -inkey public.der -in message -out ciphertext"))
        let opened = try key.decrypt(exchange.read("ciphertext"), .sm2)
        #expect(opened.holds(message))
    }

    @Test(arguments: [
        (EncryptionScheme.rsaOAEP(.sha1), "sha1"), (EncryptionScheme.rsaOAEP(.sha256), "sha256"),
    ])
    func `RSAES-OAEP ciphertexts open on the other side, both ways`(scheme: EncryptionScheme, hash: String) throws {
        for kind in [AsymmetricKeyKind.rsa2048, .rsa4096] {
            let exchange = try Exchange()
            let key = try TestKeys.key(kind)
            try exchange.write("key.der", key.pkcs8().copy)
            try exchange.write("public.der", key.publicKey.spki)
            try exchange.write("message", message)
            let options =
                "-keyform DER -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:\(hash) -pkeyopt rsa_mgf1_md:\(hash)"
            try exchange.write("ciphertext", key.publicKey.encrypt(message, scheme))
            #expect(
                try exchange.openssl("pkeyutl -decrypt \(options) -inkey key.der -in ciphertext -out plaintext"))
            try #expect(exchange.read("plaintext") == message)
            #expect(
                try exchange.openssl(
                    "pkeyutl -encrypt \(options) -pubin -inkey public.der -in message -out ciphertext"))
            let opened = try key.decrypt(exchange.read("ciphertext"), scheme)
            #expect(opened.holds(message))
        }
    }

    @Test(arguments: [AsymmetricKeyKind.p256, .p384, .p521])
    func `ECDH gives the same secret on both sides`(kind: AsymmetricKeyKind) throws {
        let exchange = try Exchange()
        let (own, peer) = try (TestKeys.key(kind), PrivateKey.generate(kind))
        try exchange.write("key.der", peer.pkcs8().copy)
        try exchange.write("public.der", own.publicKey.spki)
        #expect(
            try exchange.openssl(
                "pkeyutl -derive -keyform DER -inkey key.der -peerform DER -peerkey public.der -out secret"))
        let secret = try own.agree(with: peer.publicKey)
        try #expect(secret.holds(exchange.read("secret")))
    }

    @Test(arguments: [
        (AsymmetricKeyKind.rsa2048, "RSA -pkeyopt rsa_keygen_bits:2048"),
        (.p256, "EC -pkeyopt ec_paramgen_curve:P-256"),
        (.p384, "EC -pkeyopt ec_paramgen_curve:P-384"), (.p521, "EC -pkeyopt ec_paramgen_curve:P-521"),
        (.secp256k1, "EC -pkeyopt ec_paramgen_curve:secp256k1"), (.ed25519, "ED25519"),
    ])
    func `Keys that openssl makes open here and encode the same`(kind: AsymmetricKeyKind, options: String) throws {
        let exchange = try Exchange()
        #expect(try exchange.openssl("genpkey -algorithm \(options) -outform DER -out key.pem"))
        #expect(try exchange.openssl("pkcs8 -topk8 -nocrypt -inform DER -in key.pem -outform DER -out key.der"))
        #expect(try exchange.openssl("pkey -inform DER -in key.der -pubout -outform DER -out public.der"))
        let key = try PrivateKey(exchange.read("key.der"), kind)
        try #expect(key.publicKey.spki == exchange.read("public.der"))
        try #expect(key.pkcs8().holds(exchange.read("key.der")))
        try #expect(PublicKey(spki: exchange.read("public.der"), kind: kind).spki == key.publicKey.spki)
    }

    @Test func `Encrypted keys and keys with explicit curve parameters are refused`() throws {
        let exchange = try Exchange()
        #expect(
            try exchange.openssl(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit -outform DER "
                    + "-out key.der"))
        #expect(try exchange.openssl("pkey -inform DER -in key.der -pubout -outform DER -out public.der"))
        let explicit = try exchange.read("public.der")
        #expect(throws: CryptographyError(.invalidKey, "")) { _ = try PublicKey(spki: explicit, kind: .p256) }
        #expect(
            try exchange.openssl(
                "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes256 -pass pass:secret -out encrypted.pem"))
        #expect(
            try exchange.openssl(
                "pkcs8 -topk8 -in encrypted.pem -passin pass:secret -passout pass:secret -outform DER -out encrypted.der"
            ))
        let encrypted = try exchange.read("encrypted.der")
        #expect(throws: CryptographyError(.invalidKey, "")) { _ = try PrivateKey(encrypted, .p256) }
    }
}
