internal import Cryptography
internal import Foundation

/// The requests that are measured on the keys of one store.
struct Workloads {
    /// How many different requests are sent in turn, so that no answer can come from a cache.
    private static let variety = 64

    let store: String
    private let signer: SignedBytes
    /// The symmetric key.
    let keyID: String
    private let keys: Keys
    /// With grants on the key: an encryption context that one of them is for, as a member of every request.
    private let context: String
    private let plaintexts: [String]
    private let ciphertexts: [String]
    /// By the P-256 key, of each of `plaintexts`.
    private let signatures: [String]
    /// DER, in base64.
    private let peer: String

    private struct Keys {
        let p256: String
        let rsa2048: String
        let hmac256: String
        let agreement: String
        /// In software only.
        let mlKEM768: String?
    }

    /// Makes the keys, and for Decrypt and Verify ciphertexts and signatures.
    init(_ client: KMSClient, store: String, customKeyStoreID: String?, hasGrants: Bool) async throws {
        func key(_ keySpec: String, _ keyUsage: String) async throws -> String {
            try await client.createKey(customKeyStoreID: customKeyStoreID, keySpec: keySpec, keyUsage: keyUsage)
        }
        self.store = store
        signer = client.signer
        context = hasGrants ? #","EncryptionContext":{"tenant":"7","purpose":"benchmark"}"# : ""
        keyID = try await key("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT")
        let isSoftware = customKeyStoreID == nil
        keys = Keys(
            p256: try await key("ECC_NIST_P256", "SIGN_VERIFY"), rsa2048: try await key("RSA_2048", "SIGN_VERIFY"),
            hmac256: try await key("HMAC_256", "GENERATE_VERIFY_MAC"),
            agreement: try await key("ECC_NIST_P256", "KEY_AGREEMENT"),
            mlKEM768: isSoftware ? try await key("ML_KEM_768", "ENCAPSULATE_DECAPSULATE") : nil)
        plaintexts = try (0..<Self.variety).map { _ in Data(try SystemRandom.bytes(32)).base64EncodedString() }
        peer = Data(try PrivateKey.generate(.p256).publicKey.spki).base64EncodedString()
        var ciphertexts: [String] = []
        var signatures: [String] = []
        struct Signed: Decodable { let Signature: String }
        for plaintext in plaintexts {
            ciphertexts.append(try await client.encrypt(plaintext, keyID: keyID, context: context))
            let body = Self.message(plaintext, keys.p256, algorithm: "ECDSA_SHA_256")
            signatures.append((try await client.result("Sign", "{\(body)}") as Signed).Signature)
        }
        self.ciphertexts = ciphertexts
        self.signatures = signatures
    }

    /// The members of a Sign or Verify request.
    private static func message(_ message: String, _ keyID: String, algorithm: String) -> String {
        #""KeyId":"\#(keyID)","Message":"\#(message)","SigningAlgorithm":"\#(algorithm)""#
    }

    /// Requests that are signed now; a server takes them for five minutes.
    func requests(_ operation: Operation) throws -> [[UInt8]] {
        switch operation {
        case .encrypt:
            try plaintexts.map {
                try signer.request("Encrypt", body: KMSClient.encryptBody($0, keyID: keyID, context: context))
            }
        case .decrypt:
            try ciphertexts.map { try signer.request("Decrypt", body: #"{"CiphertextBlob":"\#($0)"\#(context)}"#) }
        case .generateDataKey:
            try [signer.request("GenerateDataKey", body: #"{"KeyId":"\#(keyID)","KeySpec":"AES_256"\#(context)}"#)]
        case .signP256: try signing(keys.p256, algorithm: "ECDSA_SHA_256")
        case .signRSA2048: try signing(keys.rsa2048, algorithm: "RSASSA_PSS_SHA_256")
        case .verifyP256:
            try zip(plaintexts, signatures).map { plaintext, signature in
                let body = Self.message(plaintext, keys.p256, algorithm: "ECDSA_SHA_256")
                return try signer.request("Verify", body: #"{\#(body),"Signature":"\#(signature)"}"#)
            }
        case .generateMac:
            try plaintexts.map {
                let body = #"{"KeyId":"\#(keys.hmac256)","MacAlgorithm":"HMAC_SHA_256","Message":"\#($0)"}"#
                return try signer.request("GenerateMac", body: body)
            }
        case .deriveSharedSecret:
            try [
                signer.request(
                    "DeriveSharedSecret",
                    body:
                        #"{"KeyId":"\#(keys.agreement)","KeyAgreementAlgorithm":"ECDH","PublicKey":"\#(peer)"}"#)
            ]
        case .getPublicKey:
            try [signer.request("GetPublicKey", body: #"{"KeyId":"\#(keys.p256)"}"#)]
        case .encapsulate:
            try keys.mlKEM768.map {
                try [
                    signer.request("Encapsulate", body: #"{"KeyId":"\#($0)","EncapsulationAlgorithm":"ML_KEM"}"#)
                ]
            } ?? []
        case .generateDataKeyPair:
            try [
                signer.request("GenerateDataKeyPair", body: #"{"KeyId":"\#(keyID)","KeyPairSpec":"ECC_NIST_P256"}"#)
            ]
        }
    }

    private func signing(_ keyID: String, algorithm: String) throws -> [[UInt8]] {
        try plaintexts.map {
            try signer.request("Sign", body: "{\(Self.message($0, keyID, algorithm: algorithm))}")
        }
    }
}
