import ArgumentParser

/// What is measured, and what it is compared with.
enum Operation: String, CaseIterable, Codable, ExpressibleByArgument {
    case encrypt
    case decrypt
    case generateDataKey = "generate-data-key"
    case signP256 = "sign-p256"
    case signRSA2048 = "sign-rsa2048"
    case verifyP256 = "verify-p256"
    case generateMac = "generate-mac"
    case deriveSharedSecret = "derive-shared-secret"
    case getPublicKey = "get-public-key"
    case encapsulate = "encapsulate"
    case generateDataKeyPair = "generate-data-key-pair"

    /// A token has no ML-KEM, and custom key stores make no data key pairs.
    var isForTokens: Bool { self != .encapsulate && self != .generateDataKeyPair }

    /// Whether it is the store's work. What needs only a public key is done in software for every store.
    var isDoneByStore: Bool { self != .verifyP256 && self != .encapsulate && self != .generateDataKeyPair }
}
