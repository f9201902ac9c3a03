public import KMSModel

/// The name of a condition key. Names compare without case (IAM User Guide, "Condition").
public enum ConditionKey: Sendable, Hashable {
    case known(KnownConditionKey)
    /// `kms:EncryptionContext:<name>`; the name as the policy writes it.
    case encryptionContext(Text)
    /// `aws:PrincipalTag/<key>`.
    case principalTag(Text)
    /// `aws:RequestTag/<key>`.
    case requestTag(Text)
    /// `aws:ResourceTag/<key>`.
    case resourceTag(Text)
    /// A documented key that no request to this server can have: AWS has it in requests of another kind (through a VPC
    /// endpoint, from an attested enclave, to another service). It is absent, as it would be there.
    case absent(Text)
}

/// The condition keys without a variable part that requests to this server may have.
///
/// Sources: KMS Developer Guide, "AWS KMS condition keys"; IAM User Guide, "AWS global condition context keys";
/// "Available keys for AWS STS".
public enum KnownConditionKey: String, Sendable, Hashable, CaseIterable {
    case bypassPolicyLockoutSafetyCheck = "kms:BypassPolicyLockoutSafetyCheck"
    case callerAccount = "kms:CallerAccount"
    case customerMasterKeySpec = "kms:CustomerMasterKeySpec"
    case customerMasterKeyUsage = "kms:CustomerMasterKeyUsage"
    case dataKeyPairSpec = "kms:DataKeyPairSpec"
    case encryptionAlgorithm = "kms:EncryptionAlgorithm"
    case encryptionContextKeys = "kms:EncryptionContextKeys"
    case expirationModel = "kms:ExpirationModel"
    case grantConstraintType = "kms:GrantConstraintType"
    case grantIsForAWSResource = "kms:GrantIsForAWSResource"
    case grantOperations = "kms:GrantOperations"
    case granteePrincipal = "kms:GranteePrincipal"
    case keyAgreementAlgorithm = "kms:KeyAgreementAlgorithm"
    case keyOrigin = "kms:KeyOrigin"
    case keySpec = "kms:KeySpec"
    case keyUsage = "kms:KeyUsage"
    case macAlgorithm = "kms:MacAlgorithm"
    case messageType = "kms:MessageType"
    case multiRegion = "kms:MultiRegion"
    case multiRegionKeyType = "kms:MultiRegionKeyType"
    case primaryRegion = "kms:PrimaryRegion"
    case reEncryptOnSameKey = "kms:ReEncryptOnSameKey"
    case replicaRegion = "kms:ReplicaRegion"
    case requestAlias = "kms:RequestAlias"
    case resourceAliases = "kms:ResourceAliases"
    case retiringPrincipal = "kms:RetiringPrincipal"
    case rotationPeriodInDays = "kms:RotationPeriodInDays"
    case scheduleKeyDeletionPendingWindowInDays = "kms:ScheduleKeyDeletionPendingWindowInDays"
    case signingAlgorithm = "kms:SigningAlgorithm"
    case validTo = "kms:ValidTo"
    case viaService = "kms:ViaService"
    case wrappingAlgorithm = "kms:WrappingAlgorithm"
    case wrappingKeySpec = "kms:WrappingKeySpec"
    case calledVia = "aws:CalledVia"
    case calledViaFirst = "aws:CalledViaFirst"
    case calledViaLast = "aws:CalledViaLast"
    case currentTime = "aws:CurrentTime"
    case epochTime = "aws:EpochTime"
    case multiFactorAuthPresent = "aws:MultiFactorAuthPresent"
    case principalAccount = "aws:PrincipalAccount"
    case principalARN = "aws:PrincipalArn"
    case principalIsAWSService = "aws:PrincipalIsAWSService"
    case principalOrgID = "aws:PrincipalOrgID"
    case principalType = "aws:PrincipalType"
    case referer = "aws:Referer"
    case requestedRegion = "aws:RequestedRegion"
    case resourceAccount = "aws:ResourceAccount"
    case resourceOrgID = "aws:ResourceOrgID"
    case secureTransport = "aws:SecureTransport"
    case sourceIdentity = "aws:SourceIdentity"
    case sourceIP = "aws:SourceIp"
    case tagKeys = "aws:TagKeys"
    case tokenIssueTime = "aws:TokenIssueTime"
    case userAgent = "aws:UserAgent"
    case userID = "aws:userid"
    case userName = "aws:username"
    case viaAWSService = "aws:ViaAWSService"
    case stsExternalID = "sts:ExternalId"
    case stsRoleSessionName = "sts:RoleSessionName"
    case stsSourceIdentity = "sts:SourceIdentity"
    case stsTransitiveTagKeys = "sts:TransitiveTagKeys"
}
