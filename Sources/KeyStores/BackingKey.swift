public import KMSModel

/// The identity of one backing key (one version of key material): 16 random bytes, chosen by the KMS core before the
/// key store makes the material. On a PKCS#11 token it is the CKA_ID.
public struct BackingKeyID: Hashable, Sendable, CustomStringConvertible {
    public static let byteCount = 16

    private let high: UInt64
    private let low: UInt64

    /// Nil unless `bytes` holds exactly 16 bytes.
    public init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        high = bytes[..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8...].reduce(0) { $0 << 8 | UInt64($1) }
    }

    public init(randomFrom generator: inout some RandomNumberGenerator) {
        high = generator.next()
        low = generator.next()
    }

    public var bytes: [UInt8] {
        [high, low].flatMap { word in
            stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
        }
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

/// What the KMS core keeps about one backing key: enough for its key store to find the material again.
public struct BackingKey: Hashable, Sendable {
    public let id: BackingKeyID
    public let keySpec: KeySpec
    /// The key id (not the ARN) of the KMS key that the material belongs to. Key stores bind sealed material to it.
    public let kmsKeyID: String
    /// Opaque to everyone but the key store that made it. Software: the sealed material. Token: empty where
    /// the CKA_ID says it all; else which object of others it stands for.
    public let reference: [UInt8]
    /// DER SubjectPublicKeyInfo (RFC 5280 §4.1) of an asymmetric key, as GetPublicKey shows it; nil for others.
    public let publicKey: [UInt8]?

    public init(id: BackingKeyID, keySpec: KeySpec, kmsKeyID: String, reference: [UInt8], publicKey: [UInt8]? = nil) {
        self.id = id
        self.keySpec = keySpec
        self.kmsKeyID = kmsKeyID
        self.reference = reference
        self.publicKey = publicKey
    }
}

/// What a key store is asked to make.
public struct KeyGeneration: Sendable {
    public let id: BackingKeyID
    public let keySpec: KeySpec
    /// A token key gets the usage flags that this needs, and no other.
    public let keyUsage: KeyUsageType
    public let kmsKeyID: String
    /// For people: the ARN of the KMS key. On a token it becomes CKA_LABEL; nothing is ever looked up by it.
    public let label: String

    public init(id: BackingKeyID, keySpec: KeySpec, keyUsage: KeyUsageType, kmsKeyID: String, label: String) {
        self.id = id
        self.keySpec = keySpec
        self.keyUsage = keyUsage
        self.kmsKeyID = kmsKeyID
        self.label = label
    }
}

/// How a key store encrypts, as written in the second byte of every ciphertext blob (docs/ciphertext-blob.md).
public enum CiphertextSuite: UInt8, Sendable {
    /// AES-256-GCM under a key and an IV per message, both derived (SP 800-108 counter mode, HMAC-SHA-256) from the
    /// backing key and a 128-bit random nonce. The nonce stands in the blob, the IV does not.
    case derivedKeyAES256GCM = 1
    /// AES-256-GCM under the token's key itself.
    case directAES256GCM = 2
}

/// One authenticated ciphertext as a key store made it. The KMS core lays it out in the ciphertext blob.
public struct SealedMessage: Hashable, Sendable {
    /// The nonce that the message key is derived from; empty in suites without one.
    public var nonce: [UInt8]
    /// 12 or 16 bytes: devices differ. Empty in suites that derive it.
    public var iv: [UInt8]
    public var ciphertext: [UInt8]
    /// 16 bytes.
    public var tag: [UInt8]

    public init(nonce: [UInt8], iv: [UInt8], ciphertext: [UInt8], tag: [UInt8]) {
        self.nonce = nonce
        self.iv = iv
        self.ciphertext = ciphertext
        self.tag = tag
    }
}
