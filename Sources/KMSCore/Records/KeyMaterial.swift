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
    /// How a material came to be the current one. The first material of a key has none.
    public struct Rotation: Hashable, Sendable {
        public let date: Timestamp
        public let type: RotationType

        public init(date: Timestamp, type: RotationType) {
            self.date = date
            self.type = type
        }
    }

    /// What is known of material that was imported.
    public struct ImportDetails: Hashable, Sendable {
        /// PENDING_IMPORT once it has been deleted or has expired: the record stays, because only the same bytes are
        /// taken back.
        public var state: ImportState
        public var description: Text?
        /// When it expires; nil for KEY_MATERIAL_DOES_NOT_EXPIRE.
        public var validTo: Timestamp?

        public init(state: ImportState, description: Text?, validTo: Timestamp?) {
            self.state = state
            self.description = description
            self.validTo = validTo
        }
    }

    /// What becomes of an object that somebody else made when its KMS key is deleted.
    public enum Adoption: String, Hashable, Sendable {
        case leavesObject = "leave"
        case destroysObject = "destroy"
    }

    /// Of imported material that is not there any more, the last backing key, which no key store holds.
    public var backingKey: BackingKey
    /// Recorded per backing key, so that changing the default key store affects new keys only.
    public let placement: Placement
    /// The 32 bytes that the API shows as KeyMaterialId in hexadecimal and that ciphertext blobs name.
    public let materialID: [UInt8]
    public let creationDate: Timestamp
    public var state: KeyMaterialState
    public var rotation: Rotation?
    /// Nil for material that was made here.
    public var importDetails: ImportDetails?
    /// Nil for material whose object we made.
    public let adoption: Adoption?

    public init(
        backingKey: BackingKey, placement: Placement, materialID: [UInt8], creationDate: Timestamp,
        state: KeyMaterialState = .current, rotation: Rotation? = nil, importDetails: ImportDetails? = nil,
        adoption: Adoption? = nil
    ) {
        self.backingKey = backingKey
        self.placement = placement
        self.materialID = materialID
        self.creationDate = creationDate
        self.state = state
        self.rotation = rotation
        self.importDetails = importDetails
        self.adoption = adoption
    }

    /// Whether the key store holds the material, as far as the record knows.
    public var isPresent: Bool { importDetails.map { $0.state == .imported } ?? true }

    /// Whether the material may be used at `time`. Expired material may not, even while it waits to be destroyed.
    public func isUsable(at time: Timestamp) -> Bool {
        guard let importDetails else { return true }
        return importDetails.state == .imported && importDetails.validTo.map { time < $0 } ?? true
    }

    /// Whether the material belongs to its key for good: without it the key is PendingImport. Material that waits for
    /// its rotation may still go.
    public var isPermanentlyAssociated: Bool { state == .current || state == .nonCurrent }
}
