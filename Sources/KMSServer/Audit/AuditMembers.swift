internal import KMSModel

/// Which members of requests and answers an audit line shows, and which operations only read.
///
/// A list of what is shown, so that what nobody has thought of is not. Sources: KMS Developer Guide, "Logging AWS KMS
/// API calls with AWS CloudTrail", and its examples of log entries.
enum AuditMembers {
    /// What a request shows, whatever its operation. What is missing here is never shown: plaintexts, ciphertexts,
    /// messages, digests, signatures, codes, public keys, grant tokens, import tokens, key material, passwords, the
    /// secrets of proxies, attestation documents and certificates.
    static let shown: JSONExcerpt.Selection = [
        "AliasName": .value,
        "BypassPolicyLockoutSafetyCheck": .value,
        "CloudHsmClusterId": .renamed("clusterId", .value),
        "Constraints": .structure([
            "EncryptionContextEquals": .value, "EncryptionContextSubset": .value, "SourceArn": .value,
        ]),
        "CustomKeyStoreId": .value,
        "CustomKeyStoreName": .value,
        "CustomKeyStoreType": .value,
        "CustomerMasterKeySpec": .value,
        "Description": .value,
        "DestinationEncryptionAlgorithm": .value,
        "DestinationEncryptionContext": .value,
        "DestinationKeyId": .value,
        "DryRun": .value,
        "DryRunModifiers": .value,
        "EncapsulationAlgorithm": .value,
        "EncryptionAlgorithm": .value,
        "EncryptionContext": .value,
        "ExpirationModel": .value,
        "GrantId": .value,
        "GranteePrincipal": .value,
        "GranteeServicePrincipal": .value,
        "ImportType": .value,
        "IncludeKeyMaterial": .value,
        "KeyAgreementAlgorithm": .value,
        "KeyId": .value,
        "KeyMaterialDescription": .value,
        "KeyMaterialId": .value,
        "KeyPairSpec": .value,
        "KeySpec": .value,
        "KeyUsage": .value,
        "Limit": .value,
        "MacAlgorithm": .value,
        "Marker": .value,
        "MessageType": .value,
        "MultiRegion": .value,
        "Name": .value,
        "NewCustomKeyStoreName": .value,
        "NumberOfBytes": .value,
        "Operations": .value,
        "Origin": .value,
        "PendingWindowInDays": .value,
        "Policy": .value,
        "PolicyName": .value,
        "PrimaryRegion": .value,
        "ReplicaRegion": .value,
        "ResourceOwners": .value,
        "RetiringPrincipal": .value,
        "RetiringServicePrincipal": .value,
        "RotationPeriodInDays": .value,
        "SigningAlgorithm": .value,
        "SourceEncryptionAlgorithm": .value,
        "SourceEncryptionContext": .value,
        "SourceKeyId": .value,
        "TagKeys": .value,
        "Tags": .structure(["TagKey": .value, "TagValue": .value]),
        "TargetKeyId": .value,
        "ValidTo": .date,
        "WrappingAlgorithm": .value,
        "WrappingKeySpec": .value,
        "XksKeyId": .value,
        "XksProxyConnectivity": .value,
        "XksProxyUriEndpoint": .value,
        "XksProxyUriPath": .value,
        "XksProxyVpcEndpointServiceName": .value,
        "XksProxyVpcEndpointServiceOwner": .value,
    ]

    /// Operations whose requestParameters are null.
    static let withoutParameters: Set<KMSOperation> = [.generateRandom, .retireGrant]

    /// What is shown of a request that does not say it.
    static let defaults: [KMSOperation: [(name: String, json: StaticString)]] = [
        .createKey: [
            ("description", #""""#), ("origin", #""AWS_KMS""#), ("keyUsage", #""ENCRYPT_DECRYPT""#),
            ("bypassPolicyLockoutSafetyCheck", "false"), ("multiRegion", "false"),
        ],
        .encrypt: [("encryptionAlgorithm", #""SYMMETRIC_DEFAULT""#)],
        .decrypt: [("encryptionAlgorithm", #""SYMMETRIC_DEFAULT""#)],
        .reEncrypt: [
            ("sourceEncryptionAlgorithm", #""SYMMETRIC_DEFAULT""#),
            ("destinationEncryptionAlgorithm", #""SYMMETRIC_DEFAULT""#),
        ],
    ]

    // MARK: Answers

    /// What an answer shows. The responseElements of all other operations are null, or the ARN of their key.
    static let shownOfAnswer: [KMSOperation: JSONExcerpt.Selection] = [
        .createKey: ["KeyMetadata": keyMetadata],
        .replicateKey: ["ReplicaKeyMetadata": keyMetadata, "ReplicaPolicy": .value],
        .scheduleKeyDeletion: [
            "KeyId": .value, "KeyState": .value, "DeletionDate": .date, "PendingWindowInDays": .value,
        ],
        .cancelKeyDeletion: ["KeyId": .value],
        .createGrant: ["GrantId": .value],
        .importKeyMaterial: ["KeyId": .value, "KeyMaterialId": .value],
        .deleteImportedKeyMaterial: ["KeyId": .value, "KeyMaterialId": .value],
        .createCustomKeyStore: ["CustomKeyStoreId": .value],
    ]

    /// Operations that answer nothing, but whose responseElements name their key.
    static let showingKey: Set<KMSOperation> = [
        .enableKey, .disableKey, .enableKeyRotation, .disableKeyRotation, .updateKeyDescription, .updatePrimaryRegion,
    ]

    private static let keyMetadata = JSONExcerpt.Form.structure([
        "AWSAccountId": .value, "Arn": .value, "CloudHsmClusterId": .value, "CreationDate": .date,
        "CurrentKeyMaterialId": .value, "CustomKeyStoreId": .value, "CustomerMasterKeySpec": .value,
        "DeletionDate": .date, "Description": .value, "Enabled": .value, "EncapsulationAlgorithms": .value,
        "EncryptionAlgorithms": .value, "ExpirationModel": .value, "KeyAgreementAlgorithms": .value, "KeyId": .value,
        "KeyManager": .value, "KeySpec": .value, "KeyState": .value, "KeyUsage": .value, "MacAlgorithms": .value,
        "MultiRegion": .value, "MultiRegionConfiguration": multiRegionConfiguration, "Origin": .value,
        "PendingDeletionWindowInDays": .value, "SigningAlgorithms": .value, "ValidTo": .date,
        "XksKeyConfiguration": .structure(["Id": .value]),
    ])

    private static let multiRegionConfiguration: JSONExcerpt.Form = {
        let key = JSONExcerpt.Form.structure(["Arn": .value, "Region": .value])
        return .structure(["MultiRegionKeyType": .value, "PrimaryKey": key, "ReplicaKeys": key])
    }()

    /// What AssumeRole shows of its parameters. The second factor and the proofs of identity providers are secret.
    static let shownOfAssumeRole = [
        "RoleArn", "RoleSessionName", "SourceIdentity", "DurationSeconds", "ExternalId", "Policy",
    ]

    // MARK: Operations

    /// Operations that change something; all others are shown as reading only, uses of keys among them.
    static let changing: Set<KMSOperation> = [
        .createKey, .replicateKey, .scheduleKeyDeletion, .cancelKeyDeletion, .createGrant, .retireGrant, .revokeGrant,
        .createAlias, .updateAlias, .deleteAlias, .importKeyMaterial, .deleteImportedKeyMaterial, .putKeyPolicy,
        .tagResource, .untagResource, .enableKey, .disableKey, .enableKeyRotation, .disableKeyRotation,
        .rotateKeyOnDemand, .updateKeyDescription, .updatePrimaryRegion, .createCustomKeyStore, .connectCustomKeyStore,
        .disconnectCustomKeyStore, .updateCustomKeyStore, .deleteCustomKeyStore,
    ]

    /// Operations on key stores: they have no key in resources, not even none.
    static let onKeyStores: Set<KMSOperation> = [
        .createCustomKeyStore, .connectCustomKeyStore, .disconnectCustomKeyStore, .updateCustomKeyStore,
        .deleteCustomKeyStore, .describeCustomKeyStores,
    ]
}
