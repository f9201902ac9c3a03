public import KMSModel
import Logging

/// Something that the service did by itself to a KMS key, or found in a key store: what CloudTrail records with the
/// event type AwsServiceEvent (KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail").
public struct ServiceEvent: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        /// The waiting period of a deletion was over.
        case deletedKey
        case rotatedKey(RotationType, previousMaterialID: Text?, currentMaterialID: Text)
        /// An object of a device became the material of a new key. AWS has no such event.
        case adoptedKey(Text, objectID: String, label: Text)
        /// ValidTo of imported material has come.
        case deletedExpiredKeyMaterial(Text)
        // What a reconciliation has found on a device; AWS has no such events.
        case foundMaterialMissing(Text)
        case foundMaterialDuplicated(Text)
        case foundMaterialExposed(Text)
        /// Objects that are no key of this installation.
        case foundUnknownObjects([Object])
        /// By their serial numbers.
        case foundOtherDevice(before: String, now: String)
        /// The CKA_IDs of what an interruption left behind.
        case destroyedLeftovers([String])
    }

    public struct Object: Hashable, Sendable {
        /// Nil when it is none that a server could have given it.
        public let id: String?
        public let label: String
    }

    public struct Key: Hashable, Sendable {
        public let scope: Scope
        public let id: String
        public let origin: OriginType
        public let customKeyStoreID: String?

        public var arn: String { scope.keyARN(id) }
    }

    public let kind: Kind
    /// Nil for what is said of a whole key store.
    public let key: Key?
    /// The clusterId of a device, or `software`; nil for what is said of one key.
    public let keyStore: Text?
    /// Domain time.
    public let time: Timestamp

    init(_ kind: Kind, _ key: KMSKey, _ time: Timestamp) {
        self.kind = kind
        self.key = Key(scope: key.scope, id: key.id, origin: key.origin, customKeyStoreID: key.customKeyStoreID)
        keyStore = nil
        self.time = time
    }

    init(_ kind: Kind, _ placement: Placement, _ time: Timestamp) {
        self.kind = kind
        key = nil
        keyStore =
            switch placement {
            case .software: "software"
            case .device(let clusterID): Text(clusterID)
            }
        self.time = time
    }

    /// The eventName of CloudTrail.
    public var name: String {
        switch kind {
        case .deletedKey: "DeleteKey"
        case .rotatedKey: "RotateKey"
        case .adoptedKey: "AdoptKey"
        case .deletedExpiredKeyMaterial: "DeleteExpiredKeyMaterial"
        case .foundMaterialMissing: "KeyMaterialMissing"
        case .foundMaterialDuplicated: "KeyMaterialDuplicated"
        case .foundMaterialExposed: "KeyMaterialExposed"
        case .foundUnknownObjects: "UnknownObjectsFound"
        case .foundOtherDevice: "DeviceExchanged"
        case .destroyedLeftovers: "LeftoversDestroyed"
        }
    }

    /// Whether AWS has such an event.
    public var isAWSEvent: Bool {
        switch kind {
        case .deletedKey, .rotatedKey, .deletedExpiredKeyMaterial: true
        case .adoptedKey, .foundMaterialMissing, .foundMaterialDuplicated, .foundMaterialExposed,
            .foundUnknownObjects, .foundOtherDevice, .destroyedLeftovers:
            false
        }
    }
}

extension KeyManagementService {
    /// Tells the log and whoever listens. Called once the change is durable.
    func emit(_ event: ServiceEvent) {
        logger.notice("service event", metadata: ["event": "\(event.name)", "key": "\(event.key?.arn ?? "none")"])
        serviceEvents(event)
    }
}
