public import KMSModel

/// A custom key store of type AWS_CLOUDHSM: the attachment of one device to one account and Region.
public struct CustomKeyStore: Hashable, Sendable {
    /// What outlives a restart. CONNECTING and DISCONNECTING do not.
    public enum Connection: Hashable, Sendable {
        case disconnected
        case connected
        case failed(ConnectionErrorCodeType)
    }

    /// `cks-` and 17 hexadecimal digits.
    public let id: String
    public let scope: Scope
    public var name: Text
    public var clusterID: String
    public let trustAnchorCertificate: Text
    /// KeyStorePassword (the PIN), sealed under the root key.
    public var sealedPassword: [UInt8]
    public let creationDate: Timestamp
    public var connection: Connection

    public init(
        id: String, scope: Scope, name: Text, clusterID: String, trustAnchorCertificate: Text,
        sealedPassword: [UInt8], creationDate: Timestamp, connection: Connection
    ) {
        self.id = id
        self.scope = scope
        self.name = name
        self.clusterID = clusterID
        self.trustAnchorCertificate = trustAnchorCertificate
        self.sealedPassword = sealedPassword
        self.creationDate = creationDate
        self.connection = connection
    }
}
