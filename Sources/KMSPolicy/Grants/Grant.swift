public import KMSModel

/// A grant on one KMS key (KMS Developer Guide, "Grants in AWS KMS").
public struct Grant: Sendable, Hashable {
    /// 64 lower-case hexadecimal digits.
    public let id: String
    public let name: Text?
    /// The ARN of the grantee: a user, a role, a role session, or an account's root.
    public let granteePrincipal: Text
    public let retiringPrincipal: Text?
    /// In the order of the request, without duplicates; never empty.
    public let operations: [GrantOperation]
    public let encryptionContextEquals: [Text: Text]?
    public let encryptionContextSubset: [Text: Text]?
    /// `arn:aws:iam::111122223333:root` of the account that created it.
    public let issuingAccount: Text
    public let creationDate: Timestamp

    public init(
        id: String, name: Text?, granteePrincipal: Text, retiringPrincipal: Text?, operations: [GrantOperation],
        encryptionContextEquals: [Text: Text]?, encryptionContextSubset: [Text: Text]?, issuingAccount: Text,
        creationDate: Timestamp
    ) {
        self.id = id
        self.name = name
        self.granteePrincipal = granteePrincipal
        self.retiringPrincipal = retiringPrincipal
        self.operations = operations
        self.encryptionContextEquals = encryptionContextEquals
        self.encryptionContextSubset = encryptionContextSubset
        self.issuingAccount = issuingAccount
        self.creationDate = creationDate
    }
}
