public import KMSModel
public import KeyStores

/// Where backing keys live. Not the same as Origin: a key of Origin AWS_KMS may be placed on a token, when the
/// installation's default key store is one.
public enum Placement: Hashable, Sendable {
    /// The standard key store.
    case software
    /// The device of the installation with this cluster id.
    case device(clusterID: String)
}

/// One version of a KMS key's material.
public struct KeyMaterial: Hashable, Sendable {
    public let backingKey: BackingKey
    /// Recorded per backing key, so that changing the default key store affects new keys only.
    public let placement: Placement
    /// The 32 bytes that the API shows as KeyMaterialId in hexadecimal and that ciphertext blobs name.
    public let materialID: [UInt8]
    public let creationDate: Timestamp

    public init(backingKey: BackingKey, placement: Placement, materialID: [UInt8], creationDate: Timestamp) {
        self.backingKey = backingKey
        self.placement = placement
        self.materialID = materialID
        self.creationDate = creationDate
    }
}

/// What the record itself knows of a key's state; what the API shows also depends on the custom key store.
public enum KeyStatus: Hashable, Sendable {
    case enabled
    case disabled
    case pendingDeletion(deletionDate: Timestamp)
}

/// A KMS key: metadata and the references to its backing keys. A value; a request works on the copy it resolved.
public struct KMSKey: Hashable, Sendable {
    /// A UUID in lower-case text form, or `mrk-` and 32 hexadecimal digits.
    public let id: String
    public let scope: Scope
    /// Every answer names it, so it is made once.
    public let arn: String
    public let creationDate: Timestamp
    public let keySpec: KeySpec
    public let keyUsage: KeyUsageType
    public let origin: OriginType
    public let multiRegion: Bool
    public let customKeyStoreID: String?
    public var description: Text
    public var status: KeyStatus
    /// In the order in which they were first set.
    public var tags: [Tag]
    /// Nil stands for the default key policy of the account.
    public var policy: KeyPolicy?
    /// Never empty; the last one is current.
    public var materials: [KeyMaterial]

    public init(
        id: String, scope: Scope, creationDate: Timestamp, keySpec: KeySpec, keyUsage: KeyUsageType,
        origin: OriginType, multiRegion: Bool, customKeyStoreID: String?, description: Text, status: KeyStatus,
        tags: [Tag], policy: KeyPolicy? = nil, materials: [KeyMaterial]
    ) {
        self.id = id
        self.scope = scope
        arn = scope.keyARN(id)
        self.creationDate = creationDate
        self.keySpec = keySpec
        self.keyUsage = keyUsage
        self.origin = origin
        self.multiRegion = multiRegion
        self.customKeyStoreID = customKeyStoreID
        self.description = description
        self.status = status
        self.tags = tags
        self.policy = policy
        self.materials = materials
    }
}

/// An alias of one account and Region.
public struct Alias: Hashable, Sendable {
    public let scope: Scope
    /// With its prefix `alias/`.
    public let name: String
    public var targetKeyID: String
    public let creationDate: Timestamp
    public var lastUpdatedDate: Timestamp

    public init(
        scope: Scope, name: String, targetKeyID: String, creationDate: Timestamp, lastUpdatedDate: Timestamp
    ) {
        self.scope = scope
        self.name = name
        self.targetKeyID = targetKeyID
        self.creationDate = creationDate
        self.lastUpdatedDate = lastUpdatedDate
    }

    public var arn: String { scope.aliasARN(name) }
}
