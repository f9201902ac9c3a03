public import KeyStores

/// Makes metadata durable. The KMS core keeps all of it in memory as well and reads the store only at start-up.
///
/// Implementations may block: they are called on the metadata writer's own thread.
public protocol MetadataStore: Sendable {
    /// Everything there is.
    func load() throws(MetadataStoreError) -> MetadataContents

    /// Makes all changes durable in one transaction, or none of them. When it returns, they survive a power cut.
    func commit(_ changes: [MetadataChange]) throws(MetadataStoreError)
}

/// The metadata could not be read or written; `reason` is for the log.
public struct MetadataStoreError: Error, CustomStringConvertible {
    public let reason: String
    public init(_ reason: String) { self.reason = reason }
    public var description: String { reason }
}

/// All metadata, as `load` finds it.
public struct MetadataContents: Sendable {
    public var keys: [KMSKey] = []
    public var aliases: [Alias] = []
    public var grants: [KeyGrant] = []
    public var customKeyStores: [CustomKeyStore] = []
    public var intents: [Intent] = []
    public var settings: [MetadataSetting: [UInt8]] = [:]
    /// Keyed hashes of refused PINs, and of those that are being tried, by cluster id.
    public var refusedPINs: [String: Set<[UInt8]>] = [:]
    /// How many messages may have been encrypted under a material, rounded up, by KeyMaterialId: material that is
    /// imported again, or shared by the replicas of a multi-Region key, is one material.
    public var messageReservations: [[UInt8]: UInt64] = [:]
    public var importParameters: [ImportParameters] = []
    public var lastUses: [KeyLastUse] = []

    public init() {}
}

/// Single values that outlive a restart.
public enum MetadataSetting: String, Hashable, Sendable, CaseIterable {
    /// 32 bytes, sealed under the root key: the key of KeyMaterialId and of refused-PIN hashes.
    case serverSecret
    /// Seconds (decimal text) that domain time is ahead of wall time: the test clock.
    case clockOffset
    /// Epoch seconds (decimal text) of wall time when the server last looked.
    case lastSeenTime
    /// Epoch seconds (decimal text) of domain time from which on the uses of keys are recorded.
    case usageTrackingStart
    /// JSON object: the serial number of each device, by clusterId, when it was last connected.
    case deviceSerialNumbers
}

/// One change of the metadata. A `put` inserts or replaces.
public enum MetadataChange: Sendable {
    case putKey(KMSKey)
    /// Takes the key's tags, grants, material references and import parameters with it; its aliases are deleted by
    /// changes of their own.
    case deleteKey(id: String, scope: Scope)
    case putAlias(Alias)
    case deleteAlias(name: String, scope: Scope)
    case putGrant(KeyGrant)
    case deleteGrant(id: String, keyID: String, scope: Scope)
    case putCustomKeyStore(CustomKeyStore)
    case deleteCustomKeyStore(id: String)
    case putIntent(Intent)
    case deleteIntent(BackingKeyID)
    /// Nil removes the setting.
    case putSetting(MetadataSetting, [UInt8]?)
    case refusePIN(clusterID: String, keyedHash: [UInt8])
    case forgetPIN(clusterID: String, keyedHash: [UInt8])
    case reserveMessages(materialID: [UInt8], total: UInt64)
    case putImportParameters(ImportParameters)
    /// By the id of their wrapping key.
    case deleteImportParameters(BackingKeyID)
    /// Of a key that is there; goes with it.
    case putLastUse(KeyLastUse)
}
