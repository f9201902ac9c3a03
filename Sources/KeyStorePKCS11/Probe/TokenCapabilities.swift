public import KMSModel
public import KeyStores
public import PKCS11

/// What a token was seen to do, by known answers and by answers compared with software, when it was connected. Data,
/// not opinion: a store's refusals and the report of a device are made from it.
public struct TokenCapabilities: Sendable {
    /// What a key store can need of a token.
    public enum Need: Hashable, Sendable, CustomStringConvertible {
        /// AES-256-GCM of 1 to 4096 bytes with associated data, right answers and no other.
        case gcm
        /// The IV comes from where the profile says.
        case gcmIV
        /// A wrong tag and wrong associated data are refused.
        case gcmAuthentication
        /// AES-ECB of one block, for fingerprints.
        case ecb
        case random
        /// Keys of this spec are made with exactly the attributes that were asked for.
        case generation(KeySpec)
        /// A key of this spec does this, and the answer is right.
        case algorithm(KeyAlgorithm, KeySpec)
        /// RSA-OAEP with this hash is opened with keys that do nothing else.
        case opening(MechanismHash)
        /// Material of this spec becomes a key without having been in host memory.
        case unwrapping(KeySpec)
        /// Material of this spec becomes a key, by one way or another.
        case importing(KeySpec)

        public var description: String {
            switch self {
            case .gcm: "AES-GCM"
            case .gcmIV: "the IV of AES-GCM"
            case .gcmAuthentication: "the tag of AES-GCM"
            case .ecb: "AES-ECB"
            case .random: "random numbers"
            case .generation(let keySpec): "making \(keySpec.rawValue)"
            case .algorithm(let algorithm, let keySpec): "\(algorithm.name) with \(keySpec.rawValue)"
            case .opening(let hash): "unwrapping RSA-OAEP with \(hash)"
            case .unwrapping(let keySpec): "unwrapping \(keySpec.rawValue)"
            case .importing(let keySpec): "importing \(keySpec.rawValue)"
            }
        }

        /// What a symmetric encryption key needs, so that the key store is of use at all.
        static let symmetric: [Need] = [.generation(.symmetricDefault), .gcm, .gcmIV, .gcmAuthentication, .ecb]
        /// What the canary needs at least: the key and one known answer.
        static let canary: [Need] = [.generation(.symmetricDefault), .ecb]
        /// What the absence of is worth telling an operator.
        static let basic: [Need] = symmetric + [.random]
    }

    public enum Finding: Sendable, Equatable {
        case yes
        /// The reason, for people.
        case no(String)
    }

    /// What the module says of itself: manufacturer, description, version. Text for reports, nothing is decided by it.
    public internal(set) var module = ""
    public internal(set) var findings: [Need: Finding] = [:]
    /// What the token answers to a wrong tag: vendors differ.
    public internal(set) var badTagReturnValue: ReturnValue?
    /// What the token answers to an OAEP ciphertext that is none; absent where the padding is looked at here.
    public internal(set) var badPaddingReturnValues: [EncryptionAlgorithmSpec: ReturnValue] = [:]
    /// Whether C_CreateObject takes a secret key, so that known answers could be compared and not only round trips.
    public internal(set) var importsSecretKeys = false
    /// Whether OAEP is decoded here, after the bare RSA operation on the token.
    public var decodesOAEPInSoftware: Set<EncryptionAlgorithmSpec> {
        Set(oaepMethods.filter { $0.value == .bareOperation }.keys)
    }
    /// How long the whole probe took.
    public internal(set) var probeTime: Duration = .zero

    // What was found to work, and how it must be asked for.
    var oaepMethods: [EncryptionAlgorithmSpec: TokenOAEP.Method] = [:]
    var hmacKeyTypes: [KeySpec: KeyType] = [:]
    var pointEncoding = SharedSecret.PointEncoding.bare
    /// How blocks in which material comes are opened.
    var blockOpenings: [MechanismHash: BlockOpening] = [:]
    /// The number of AES key wrap with padding; nil where the token has none.
    var keyWrap: KeyWrapNumber?
    /// Keys that C_UnwrapKey makes of such a block, and of AES key wrap: what is known of them afterwards suffices.
    var unwrapsFromBlock: Set<KeySpec> = []
    var unwrapsFromKeyWrap: Set<KeySpec> = []
    /// Keys that C_CreateObject takes.
    var creates: Set<KeySpec> = []

    /// How a key that decrypts does OAEP.
    func decryptionMethod(_ hash: MechanismHash) -> TokenOAEP.Method? {
        switch hash {
        case .sha1: oaepMethods[.rsaesOaepSha1]
        case .sha256: oaepMethods[.rsaesOaepSha256]
        case .sha224, .sha384, .sha512: nil
        }
    }

    public init() {}

    // MARK: Answers

    /// Nil when keys of this spec and usage can be made and do something, else why not.
    public func refusal(of keySpec: KeySpec, usage: KeyUsageType) -> String? {
        guard KeyForm(keySpec) != nil else { return KeyForm.absence(of: keySpec) }
        let algorithms = keySpec.algorithms(for: usage)
        guard !algorithms.isEmpty else { return "\(keySpec.rawValue) keys are not for \(usage.rawValue)" }
        if let refusal = refusal(of: [.generation(keySpec)]) { return refusal }
        let refusals = algorithms.map { refusal(of: $0, keySpec: keySpec) }
        // One that works is enough.
        return refusals.contains(nil) ? nil : refusals.first ?? nil
    }

    /// Nil when keys of this spec do this exactly as the API means it, else why not.
    public func refusal(of algorithm: KeyAlgorithm, keySpec: KeySpec) -> String? {
        guard let form = KeyForm(keySpec) else { return KeyForm.absence(of: keySpec) }
        guard keySpec.algorithms.contains(algorithm) else {
            return "\(keySpec.rawValue) keys are not for \(algorithm.name)"
        }
        if form == .aes256 { return refusal(of: Need.symmetric) }
        return refusal(of: [.generation(keySpec), .algorithm(algorithm, keySpec)])
    }

    /// Nil when everything in `needs` was seen to work, else the first reason why not.
    func refusal(of needs: [Need]) -> String? {
        for need in needs {
            switch findings[need] {
            case .yes: continue
            case .no(let reason): return "the token fails at \(need): \(reason)"
            case nil: return "the token was not asked for \(need)"
            }
        }
        return nil
    }

    /// Whether nothing has been asked yet.
    var isEmpty: Bool { findings.isEmpty }
}
