public import KMSModel
public import SecureMemory

/// Holds backing keys and works with them. The KMS core never asks which implementation it is talking to.
///
/// Work that needs only a public key is not here: it is done in software from the stored public key, for every store
/// alike. Every function may suspend while a device works, never holds a thread of Swift's cooperative pool for
/// it, and answers in bounded time.
///
/// Errors common to all functions: `unavailable` when the device is not reachable, `overloaded` when too much work
/// waits already, `timedOut`, and `internalFailure` for anything that is not understood.
public protocol KeyStore: Sendable {
    /// How `encrypt` encrypts. Constant for the life of the store.
    var ciphertextSuite: CiphertextSuite { get }

    /// Nil if keys of this spec and usage can be made here and be of use, else the reason why not, for people.
    func refusal(of keySpec: KeySpec, usage: KeyUsageType) -> String?

    /// Nil if keys of this spec can do this here, exactly as the API means it; else the reason why not, for people.
    /// DescribeKey lists what is not refused.
    func refusal(of algorithm: KeyAlgorithm, keySpec: KeySpec) -> String?

    /// Nil if material of this spec can be imported here and be of use, else the reason why not, for people.
    func refusal(ofImporting keySpec: KeySpec, usage: KeyUsageType) -> String?

    /// Nil if the store can make such a wrapping key and unwrap with it this way, else the reason why not, for people.
    func refusal(ofWrapping algorithm: AlgorithmSpec, _ wrappingKeySpec: WrappingKeySpec) -> String?

    /// Makes key material inside the store and makes it durable before returning.
    ///
    /// Errors: `unsupportedAlgorithm` for what `refusal(of:usage:)` refuses. When it throws, the store may hold a
    /// half-made object under `request.id`; the caller calls `discardKey` or lets reconciliation do it.
    func generateKey(_ request: KeyGeneration) async throws(KeyStoreError) -> BackingKey

    /// Makes a key pair that unwraps key material, inside the store, and makes it durable before returning.
    /// `destroyKey` destroys it.
    ///
    /// Errors: `unsupportedAlgorithm` for what `refusal(ofWrapping:_:)` refuses. When it throws, the store may hold a
    /// half-made object under `request.id`, as with `generateKey`.
    func makeWrappingKey(_ request: WrappingKeyGeneration) async throws(KeyStoreError) -> WrappingKey

    /// Unwraps key material from outside, checks it, and makes it durable as a backing key before returning: from then
    /// on it is like a key that was made here. The wrapping key stays.
    ///
    /// Errors: `invalidCiphertext` for everything that does not unwrap, without a difference; `incorrectMaterial` for
    /// what unwraps but is not what the key spec needs (length, encoding, curve, modulus, parts that do not belong
    /// together), with a reason for people; `keyNotFound` when the wrapping key is gone; `unsupportedAlgorithm` for
    /// what `refusal(ofImporting:usage:)` and `refusal(ofWrapping:_:)` refuse. With the first two nothing is kept; with
    /// others the store may hold a half-made object under the id of the new key, as with `generateKey`.
    func importKey(_ request: KeyImport) async throws(KeyStoreError) -> ImportedKey

    /// Looks whether an object that somebody else made is fit to be a backing key, tries it, and says how to find it
    /// again. Changes nothing on the device.
    ///
    /// Errors: `notAdoptable` with the reason, for people.
    func adoptKey(_ request: KeyAdoption) async throws(KeyStoreError) -> AdoptedKey

    /// Destroys an object that was adopted: only on the word of whoever adopted it.
    ///
    /// - Parameter reference: of its backing key.
    func destroyAdoptedObject(_ reference: [UInt8]) async throws(KeyStoreError)

    /// Destroys the material for good. Destroying what is not there succeeds, so that an interrupted destruction can
    /// be repeated.
    func destroyKey(_ id: BackingKeyID) async throws(KeyStoreError)

    /// Destroys what the interrupted making of a key may have left under its id. Succeeds at once, and even while the
    /// device is away, if there can be nothing.
    func discardKey(_ id: BackingKeyID) async throws(KeyStoreError)

    /// Encrypts 1...4096 bytes under a symmetric key and authenticates `associatedData` with them.
    ///
    /// Errors: `keyNotFound`, `unsupportedAlgorithm` when the key is not symmetric.
    func encrypt(
        _ plaintext: SecretBytes, associatedData: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SealedMessage

    /// The reverse of `encrypt`.
    ///
    /// Errors: `invalidCiphertext` when anything does not verify, and only then; `keyNotFound`.
    func decrypt(
        _ message: SealedMessage, associatedData: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes

    /// Decrypts what was encrypted to the public key of an asymmetric key.
    ///
    /// Errors: `invalidCiphertext` for everything that does not decrypt, alike in kind and in time; `keyNotFound`;
    /// `unsupportedAlgorithm`.
    func decrypt(
        _ ciphertext: [UInt8], algorithm: EncryptionAlgorithmSpec, with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes

    /// A signature as the API gives it: DER for ECDSA and SM2, the bytes of the standard for all others.
    ///
    /// Errors: `keyNotFound`, `unsupportedAlgorithm`. The caller has checked the length of a digest.
    func sign(
        _ input: SigningInput, algorithm: SigningAlgorithmSpec, with key: BackingKey
    ) async throws(KeyStoreError) -> [UInt8]

    /// The whole MAC of a message of 1...4096 bytes; nobody is shown more or less of it.
    ///
    /// Errors: `keyNotFound`, `unsupportedAlgorithm`.
    func authenticate(
        _ message: SecretBytes, algorithm: MacAlgorithmSpec, with key: BackingKey
    ) async throws(KeyStoreError) -> [UInt8]

    /// The raw ECDH shared secret: the x coordinate, as long as the field (SP 800-56A §5.7.1.2).
    ///
    /// - Parameter publicKey: DER SubjectPublicKeyInfo; the caller has checked that it is a point on the key's curve.
    /// Errors: `keyNotFound`, `unsupportedAlgorithm`.
    func deriveSharedSecret(
        publicKey: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes

    /// The 32-byte shared secret of an ML-KEM ciphertext (FIPS 203; a ciphertext that was not made for the key gives
    /// another secret, not an error).
    ///
    /// Errors: `invalidCiphertext` for a wrong length; `keyNotFound`; `unsupportedAlgorithm`.
    func decapsulate(_ ciphertext: [UInt8], with key: BackingKey) async throws(KeyStoreError) -> SecretBytes

    /// A value that is equal exactly for equal key material, made without the material leaving the store: a fixed
    /// block encrypted under an AES key, a MAC of a fixed message, or the public key. Never shown to anyone; the KMS
    /// core hashes it under the server secret.
    func fingerprint(of key: BackingKey) async throws(KeyStoreError) -> SecretBytes

    /// 1...1024 bytes from the store's random number generator.
    func randomBytes(_ count: Int) async throws(KeyStoreError) -> SecretBytes

    /// What the store really holds, for reconciliation at start-up and connect; nil for a store that keeps nothing
    /// itself because the material travels in `BackingKey.reference`.
    func inventory() async throws(KeyStoreError) -> [InventoryEntry]?

    /// Every object on the device with its attributes, read now; nil for a store that holds none.
    func objects() async throws(KeyStoreError) -> [StoredObject]?

    /// Which device holds the keys at the moment; nil for a store that is none, or whose device is away.
    var deviceSerialNumber: String? { get }
}

/// One object that a key store holds.
public struct InventoryEntry: Sendable, Hashable {
    /// Nil when the object has no id of ours (half-written, or made by somebody else).
    public let id: BackingKeyID?
    /// What the object calls itself, for the report.
    public let label: String
    /// Whether the device would give the material away: the object is extractable, or not sensitive.
    public let isExposed: Bool
    /// What the `reference` of a backing key would be that stands for this object by adoption; empty when none can.
    public let reference: [UInt8]

    public init(id: BackingKeyID?, label: String, isExposed: Bool = false, reference: [UInt8] = []) {
        self.id = id
        self.label = label
        self.isExposed = isExposed
        self.reference = reference
    }
}
