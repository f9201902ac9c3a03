public import KMSModel

// Key material from outside, wrapped under a public key that the key store made for this one purpose.

/// What a key store is asked to make before somebody can wrap key material for it.
public struct WrappingKeyGeneration: Sendable {
    public let id: BackingKeyID
    /// RSA of this size, or SM2.
    public let wrappingKeySpec: WrappingKeySpec
    /// The only algorithm that the key will ever be used with.
    public let wrappingAlgorithm: AlgorithmSpec
    public let kmsKeyID: String
    /// For people, as in `KeyGeneration`.
    public let label: String

    public init(
        id: BackingKeyID, wrappingKeySpec: WrappingKeySpec, wrappingAlgorithm: AlgorithmSpec, kmsKeyID: String,
        label: String
    ) {
        self.id = id
        self.wrappingKeySpec = wrappingKeySpec
        self.wrappingAlgorithm = wrappingAlgorithm
        self.kmsKeyID = kmsKeyID
        self.label = label
    }
}

/// A key pair that unwraps key material for one KMS key and does nothing else.
public struct WrappingKey: Hashable, Sendable {
    public let id: BackingKeyID
    public let wrappingKeySpec: WrappingKeySpec
    public let wrappingAlgorithm: AlgorithmSpec
    /// The KMS key whose material it may unwrap. Key stores bind sealed private keys to it.
    public let kmsKeyID: String
    /// As in `BackingKey`.
    public let reference: [UInt8]
    /// DER SubjectPublicKeyInfo, as GetParametersForImport shows it.
    public let publicKey: [UInt8]

    public init(
        id: BackingKeyID, wrappingKeySpec: WrappingKeySpec, wrappingAlgorithm: AlgorithmSpec, kmsKeyID: String,
        reference: [UInt8], publicKey: [UInt8]
    ) {
        self.id = id
        self.wrappingKeySpec = wrappingKeySpec
        self.wrappingAlgorithm = wrappingAlgorithm
        self.kmsKeyID = kmsKeyID
        self.reference = reference
        self.publicKey = publicKey
    }
}

/// What a key store is asked to take in.
public struct KeyImport: Sendable {
    /// Of the backing key that the material becomes.
    public let key: KeyGeneration
    /// EncryptedKeyMaterial of the request, 1...6144 bytes, as it came.
    public let wrappedMaterial: [UInt8]
    public let wrappingKey: WrappingKey

    public init(key: KeyGeneration, wrappedMaterial: [UInt8], wrappingKey: WrappingKey) {
        self.key = key
        self.wrappedMaterial = wrappedMaterial
        self.wrappingKey = wrappingKey
    }
}

/// Key material that was taken in.
public struct ImportedKey: Sendable {
    public let backingKey: BackingKey
    public let path: ImportPath

    public init(backingKey: BackingKey, path: ImportPath) {
        self.backingKey = backingKey
        self.path = path
    }
}

/// How the material went from its wrapping into the key store. For the log.
public struct ImportPath: Hashable, Sendable {
    /// The steps in words, with the mechanisms that did them.
    public let description: String
    /// Whether plaintext material was in this process's memory.
    public let exposesMaterialToHost: Bool

    public init(description: String, exposesMaterialToHost: Bool) {
        self.description = description
        self.exposesMaterialToHost = exposesMaterialToHost
    }
}
