public import KMSModel

/// What the record itself knows of a key's state; what the API shows also depends on the custom key store.
public enum KeyStatus: Hashable, Sendable {
    case enabled
    case disabled
    case pendingDeletion(deletionDate: Timestamp)
    /// A multi-Region primary whose deletion begins when its last replica is gone.
    case pendingReplicaDeletion(windowDays: Int)
}

/// The setting of EnableKeyRotation. Kept while the key is disabled or waits for its deletion, when nothing rotates.
public struct AutomaticRotation: Hashable, Sendable {
    /// 90...2560.
    public let periodInDays: Int
    public let nextDate: Timestamp

    public init(periodInDays: Int, nextDate: Timestamp) {
        self.periodInDays = periodInDays
        self.nextDate = nextDate
    }
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
    public let manager: KeyManagerType
    /// The Region of the primary of a multi-Region key; nil for single-Region keys.
    public var primaryRegion: String?
    public let customKeyStoreID: String?
    public var description: Text
    public var status: KeyStatus
    /// In the order in which they were first set.
    public var tags: [Tag]
    /// Nil stands for the default key policy of the account.
    public var policy: KeyPolicy?
    /// Nil when automatic rotation is off.
    public var automaticRotation: AutomaticRotation?
    /// Where the next material goes. The same for all materials of a key.
    public let placement: Placement
    /// Oldest first. At most one is current, and at most one waits for its rotation. Empty until the first import of a
    /// key of Origin EXTERNAL.
    public var materials: [KeyMaterial]

    public init(
        id: String, scope: Scope, creationDate: Timestamp, keySpec: KeySpec, keyUsage: KeyUsageType,
        origin: OriginType, manager: KeyManagerType = .customer, primaryRegion: String? = nil,
        customKeyStoreID: String?, description: Text,
        status: KeyStatus, tags: [Tag], policy: KeyPolicy? = nil, automaticRotation: AutomaticRotation? = nil,
        placement: Placement,
        materials: [KeyMaterial]
    ) {
        self.id = id
        self.scope = scope
        arn = scope.keyARN(id)
        self.creationDate = creationDate
        self.keySpec = keySpec
        self.keyUsage = keyUsage
        self.origin = origin
        self.manager = manager
        self.primaryRegion = primaryRegion
        self.customKeyStoreID = customKeyStoreID
        self.description = description
        self.status = status
        self.tags = tags
        self.policy = policy
        self.automaticRotation = automaticRotation
        self.placement = placement
        self.materials = materials
    }

    public var multiRegion: Bool { primaryRegion != nil }
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
