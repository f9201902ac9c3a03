public import KMSModel
public import KeyStores
package import SecureMemory
internal import Synchronization

/// What every key store must do with symmetric keys, the same checks for all of them. They throw instead of using a
/// test library, so that they can also be run on a user's device.
public enum KeyStoreConformance: String, CaseIterable, Sendable {
    case returnsEveryPlaintext = "what is encrypted comes back, from 1 to 4096 bytes"
    case neverRepeatsItself = "two encryptions of the same plaintext differ"
    case bindsAssociatedData = "other associated data does not decrypt"
    case noticesEveryChange = "a changed bit anywhere does not decrypt"
    case refusesOtherForms = "a message of another form does not decrypt"
    case keepsKeysApart = "another key does not decrypt"
    case fingerprintsMaterial = "a fingerprint is the same for one key and different for two"
    case makesRandomBytes = "random bytes come in every length and do not repeat"
    case refusesUnsupportedSpecs = "a spec that is refused cannot be made"
    case destroysForGood = "a destroyed key is not found, and destroying it again succeeds"
    case refusesTakenIdentities = "the identity of a key cannot be given twice"
    case listsWhatItHolds = "the inventory lists a key while it is there"
    case worksConcurrently = "many requests at once are all answered rightly"

    public enum Outcome: Sendable, Equatable {
        case passed
        /// The store cannot be checked for this; the reason.
        case notApplicable(String)
    }

    /// Throws `ConformanceFailure`, or what the store threw where it must not throw.
    public func run(on store: any KeyStore) async throws -> Outcome {
        if needsSymmetricKeys, let reason = Self.refusalOfSymmetricKeys(by: store) { return .notApplicable(reason) }
        let run = ConformanceRun(store: store)
        switch self {
        case .returnsEveryPlaintext: try await run.returnsEveryPlaintext()
        case .neverRepeatsItself: try await run.neverRepeatsItself()
        case .bindsAssociatedData: try await run.bindsAssociatedData()
        case .noticesEveryChange: try await run.noticesEveryChange()
        case .refusesOtherForms: try await run.refusesOtherForms()
        case .keepsKeysApart: try await run.keepsKeysApart()
        case .fingerprintsMaterial: try await run.fingerprintsMaterial()
        case .makesRandomBytes: try await run.makesRandomBytes()
        case .refusesUnsupportedSpecs: try await run.refusesUnsupportedSpecs()
        case .destroysForGood, .refusesTakenIdentities, .listsWhatItHolds:
            guard try await store.inventory() != nil else {
                return .notApplicable("the store keeps no keys itself")
            }
            switch self {
            case .destroysForGood: try await run.destroysForGood()
            case .refusesTakenIdentities: try await run.refusesTakenIdentities()
            default: try await run.listsWhatItHolds()
            }
        case .worksConcurrently: try await run.worksConcurrently()
        }
        return .passed
    }

    private var needsSymmetricKeys: Bool { self != .makesRandomBytes && self != .refusesUnsupportedSpecs }

    private static func refusalOfSymmetricKeys(by store: any KeyStore) -> String? {
        store.refusal(of: .symmetricDefault, usage: .encryptDecrypt)
            ?? store.refusal(of: .encryption(.symmetricDefault), keySpec: .symmetricDefault)
    }
}

/// What a store did wrong.
public struct ConformanceFailure: Error, CustomStringConvertible {
    public let description: String
}

/// Every key a check needs is made by it and destroyed after it.
public struct ConformanceKeys: Sendable {
    /// For people who find one on a token: an interrupted run may leave it there.
    public static let label = "strongroom conformance"

    private static let identities = Mutex<[BackingKeyID]>([])

    /// Of every key that was asked for in this process, to find what an interrupted check left behind.
    public static var allIdentities: [BackingKeyID] { identities.withLock { $0 } }

    public static func request(
        _ keySpec: KeySpec = .symmetricDefault, _ usage: KeyUsageType = .encryptDecrypt, label: String = label
    ) -> KeyGeneration {
        var generator = SystemRandomNumberGenerator()
        let id = BackingKeyID(randomFrom: &generator)
        identities.withLock { $0.append(id) }
        return KeyGeneration(
            id: id, keySpec: keySpec, keyUsage: usage, kmsKeyID: "1234abcd-12ab-34cd-56ef-1234567890ab", label: label)
    }
}

extension SecretBytes {
    /// A copy of what must not be secret any more, for comparisons.
    package var revealed: [UInt8] {
        withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }

    package convenience init(_ bytes: [UInt8]) {
        self.init(copying: bytes.span)
    }
}
