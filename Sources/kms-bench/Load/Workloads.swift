internal import Cryptography
internal import Foundation

/// The requests that are measured on one key.
struct Workloads {
    enum Operation: String, CaseIterable {
        case encrypt
        case decrypt
        case generateDataKey = "generate-data-key"
    }

    /// How many different requests are sent in turn, so that no answer can come from a cache.
    private static let variety = 64

    let store: String
    private let signer: RequestSigner
    let keyID: String
    /// With grants on the key: an encryption context that one of them is for, as a member of every request.
    private let context: String
    private let plaintexts: [String]
    private let ciphertexts: [String]

    /// Makes a key and, for Decrypt, ciphertexts.
    init(_ client: KMSClient, store: String, customKeyStoreID: String?, hasGrants: Bool) async throws {
        self.store = store
        signer = client.signer
        context = hasGrants ? #","EncryptionContext":{"tenant":"7","purpose":"benchmark"}"# : ""
        keyID = try await client.createKey(customKeyStoreID: customKeyStoreID)
        plaintexts = try (0..<Self.variety).map { _ in Data(try SystemRandom.bytes(32)).base64EncodedString() }
        var ciphertexts: [String] = []
        for plaintext in plaintexts {
            ciphertexts.append(try await client.encrypt(plaintext, keyID: keyID, context: context))
        }
        self.ciphertexts = ciphertexts
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
        }
    }
}
