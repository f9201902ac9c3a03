/// The namespace of KMS keys, aliases and custom key stores: one account in one Region.
public struct Scope: Hashable, Sendable {
    /// 12 digits.
    public let accountID: String
    /// For example `eu-central-1`.
    public let region: String

    public init(accountID: String, region: String) {
        self.accountID = accountID
        self.region = region
    }

    /// The ARN partition of the Region.
    public var partition: String {
        if region.hasPrefix("cn-") { return "aws-cn" }
        if region.hasPrefix("us-gov-") { return "aws-us-gov" }
        return "aws"
    }

    public func keyARN(_ keyID: String) -> String { "\(arnPrefix):key/\(keyID)" }

    /// `aliasName` begins with `alias/`.
    public func aliasARN(_ aliasName: String) -> String { "\(arnPrefix):\(aliasName)" }

    private var arnPrefix: String { "arn:\(partition):kms:\(region):\(accountID)" }
}
