public import KMSModel
public import SecureMemory

/// A KMS key that an installation shall have from its start, with an id that tests know (docs/seeding.md).
public struct SeededKey: Sendable {
    /// A UUID in lower case, or `mrk-` and 32 hexadecimal digits for a multi-Region primary.
    public let id: String
    public let scope: Scope
    /// What the key is made from when it is not there yet. Its MultiRegion follows from the id.
    public let request: CreateKeyRequest
    /// With their prefix `alias/`.
    public var aliases: [Text]
    /// Of a key of Origin EXTERNAL: raw bytes, or PKCS#8 DER. Test material: whoever reads the seed knows it.
    public var material: SecretBytes?
    /// Nil leaves automatic rotation as it is.
    public var rotationPeriodInDays: Int?
    public var isEnabled: Bool
    /// The object that the key stands for; nil for a key whose material is made or imported.
    public var adoption: Adoption?
    /// Each with a Name, so that it is made once; its KeyId is filled in.
    public var grants: [CreateGrantRequest]

    public init(
        id: String, scope: Scope, request: CreateKeyRequest, aliases: [Text] = [], material: SecretBytes? = nil,
        rotationPeriodInDays: Int? = nil, isEnabled: Bool = true, adoption: Adoption? = nil,
        grants: [CreateGrantRequest] = []
    ) {
        self.id = id
        self.scope = scope
        self.request = request
        self.aliases = aliases
        self.material = material
        self.rotationPeriodInDays = rotationPeriodInDays
        self.isEnabled = isEnabled
        self.adoption = adoption
        self.grants = grants
    }
}
