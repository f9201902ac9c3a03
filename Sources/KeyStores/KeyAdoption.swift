public import KMSModel

// Objects of a device that somebody else made, and that become backing keys as they are.

/// How a person names an object on a device: by its label, its id, or both.
public struct ObjectSelector: Sendable, Hashable, CustomStringConvertible {
    public let label: String?
    public let id: [UInt8]?

    /// Nil when neither says anything.
    public init?(label: String?, id: [UInt8]?) {
        guard label?.isEmpty == false || id?.isEmpty == false else { return nil }
        self.label = label
        self.id = id
    }

    public var description: String {
        let parts = [
            label.map { "the label \"\($0)\"" },
            id.map { bytes in "the id \(bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())" },
        ]
        return parts.compactMap(\.self).joined(separator: " and ")
    }
}

/// What a key store is asked to take for a backing key.
public struct KeyAdoption: Sendable {
    /// Of the backing key. The object keeps the id that it has.
    public let id: BackingKeyID
    public let object: ObjectSelector
    /// Nil takes the only usage that keys of its kind have.
    public let keyUsage: KeyUsageType?
    public let kmsKeyID: String

    public init(id: BackingKeyID, object: ObjectSelector, keyUsage: KeyUsageType?, kmsKeyID: String) {
        self.id = id
        self.object = object
        self.keyUsage = keyUsage
        self.kmsKeyID = kmsKeyID
    }
}

/// An object that is fit to be a backing key. Nothing about it was changed.
public struct AdoptedKey: Sendable {
    /// Its `reference` says which object it stands for.
    public let backingKey: BackingKey
    public let keyUsage: KeyUsageType
    /// The object as the inventory has it.
    public let entry: InventoryEntry
    /// CKA_ID; may be empty.
    public let objectID: [UInt8]
    /// What is no reason to refuse the object and still worth knowing, in sentences.
    public let observations: [String]

    public init(
        backingKey: BackingKey, keyUsage: KeyUsageType, entry: InventoryEntry, objectID: [UInt8],
        observations: [String]
    ) {
        self.backingKey = backingKey
        self.keyUsage = keyUsage
        self.entry = entry
        self.objectID = objectID
        self.observations = observations
    }
}

/// One object on a device, whoever made it, as an audit wants to see it.
public struct StoredObject: Sendable, Hashable {
    /// As the inventory has it; nil for what can be nobody's key material (public keys, certificates).
    public let entry: InventoryEntry?
    /// CKA_ID; may be empty.
    public let id: [UInt8]
    public let label: String
    /// As the standard spells them: CKO_SECRET_KEY, CKK_AES.
    public let objectClass: String
    public let keyType: String?
    public let sizeInBits: Int?
    /// By the names of the standard, those that the device tells.
    public let flags: [String: Bool]
    /// Whether the key store made it for itself.
    public let isCanary: Bool

    public init(
        entry: InventoryEntry?, id: [UInt8], label: String, objectClass: String, keyType: String?, sizeInBits: Int?,
        flags: [String: Bool], isCanary: Bool
    ) {
        self.entry = entry
        self.id = id
        self.label = label
        self.objectClass = objectClass
        self.keyType = keyType
        self.sizeInBits = sizeInBits
        self.flags = flags
        self.isCanary = isCanary
    }
}

// What a store without objects answers.
extension KeyStore {
    public func adoptKey(_ request: KeyAdoption) async throws(KeyStoreError) -> AdoptedKey {
        throw KeyStoreError(.notAdoptable, "the key store holds no objects that others could have made")
    }

    public func destroyAdoptedObject(_ reference: [UInt8]) async throws(KeyStoreError) {
        throw KeyStoreError(.internalFailure, "the key store holds no objects that others could have made")
    }

    public func objects() async throws(KeyStoreError) -> [StoredObject]? { nil }
}
