public import KMSModel
import Logging

/// Something that the service did to a KMS key by itself: what CloudTrail records with the event type AwsServiceEvent
/// (KMS Developer Guide, "Logging AWS KMS API calls with AWS CloudTrail").
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
    }

    public let kind: Kind
    /// Of the KMS key.
    public let scope: Scope
    public let keyID: String
    public let origin: OriginType
    public let customKeyStoreID: String?
    /// Domain time.
    public let time: Timestamp

    init(_ kind: Kind, _ key: KMSKey, _ time: Timestamp) {
        self.kind = kind
        scope = key.scope
        keyID = key.id
        origin = key.origin
        customKeyStoreID = key.customKeyStoreID
        self.time = time
    }

    public var keyARN: String { scope.keyARN(keyID) }

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
        }
    }

    /// Whether AWS has such an event.
    public var isAWSEvent: Bool {
        switch kind {
        case .deletedKey, .rotatedKey, .deletedExpiredKeyMaterial: true
        case .adoptedKey, .foundMaterialMissing, .foundMaterialDuplicated, .foundMaterialExposed: false
        }
    }
}

extension KeyManagementService {
    /// Tells the log and whoever listens. Called once the change is durable.
    func emit(_ event: ServiceEvent) {
        logger.notice("service event", metadata: ["event": "\(event.name)", "key": "\(event.keyARN)"])
        serviceEvents(event)
    }
}
