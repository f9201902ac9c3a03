public import Cryptography
public import KMSModel

/// One thing that a key can do, as the API names it.
public enum KeyAlgorithm: Hashable, Sendable {
    case encryption(EncryptionAlgorithmSpec)
    case signing(SigningAlgorithmSpec)
    case mac(MacAlgorithmSpec)
    case keyAgreement(KeyAgreementAlgorithmSpec)
    /// ML-KEM (FIPS 203).
    case encapsulation

    /// As the API writes it.
    public var name: String {
        switch self {
        case .encryption(let algorithm): algorithm.rawValue
        case .signing(let algorithm): algorithm.rawValue
        case .mac(let algorithm): algorithm.rawValue
        case .keyAgreement(let algorithm): algorithm.rawValue
        case .encapsulation: EncapsulationAlgorithmSpec.mlKem.rawValue
        }
    }
}

/// What is signed, as the MessageType of a Sign request says.
public enum SigningInput: Hashable, Sendable {
    /// RAW: 1...4096 bytes, which the algorithm hashes itself.
    case message([UInt8])
    /// DIGEST: already hashed, as long as the algorithm's hash.
    case digest([UInt8])
    /// EXTERNAL_MU: the 64-byte message representative of ML-DSA (FIPS 204, §6.2).
    case externalMu([UInt8])

    /// For verification.
    public var content: (bytes: [UInt8], form: SignedForm) {
        switch self {
        case .message(let bytes): (bytes, .message)
        case .digest(let bytes): (bytes, .digest)
        case .externalMu(let bytes): (bytes, .representative)
        }
    }
}
