import KMSModel
import KMSPolicy

// The answers of the KMS core, each text in one place. Where AWS's text is known it is AWS's, word for word (recorded
// from AWS or quoted by the KMS Developer Guide); the others say what was wrong and what would be right.
extension KMSError {
    // MARK: Key identifiers

    static func keyNotFound(_ keyARN: String) -> Self { .init(.notFound, "Key '\(keyARN)' does not exist") }
    static func invalidKeyID(_ text: String) -> Self { .init(.notFound, "Invalid keyId '\(text)'") }
    static func invalidARNRegion(_ region: String) -> Self { .init(.notFound, "Invalid arn \(region)") }
    static func aliasNotFound(_ aliasARN: String) -> Self {
        .init(.notFound, "Alias \(aliasARN) is not found.")
    }
    /// The text is not known from AWS.
    static func invalidARN(_ text: String) -> Self { .init(.invalidArn, "Invalid arn '\(text)'") }

    // MARK: Authorization

    /// AWS's text (IAM User Guide, "Troubleshoot access denied error messages").
    static func accessDenied(
        _ principalARN: Text, _ action: Action, on resourceARN: String, _ denial: Decision.Denial
    ) -> Self {
        .init(
            .accessDenied,
            "User: \(principalARN.string) is not authorized to perform: \(action) on resource: \(resourceARN) "
                + denial.explanation(action))
    }
    /// The answer for a ciphertext whose key is unknown or not the caller's: the same for both, so that it tells
    /// nothing.
    static func ciphertextAccessDenied(_ principalARN: Text, _ action: Action) -> Self {
        .init(
            .accessDenied,
            "User: \(principalARN.string) is not authorized to perform: \(action) on the resource associated with this "
                + "ciphertext because the resource does not exist in this Region, no resource-based policies allow "
                + "access, or a resource-based policy explicitly denies access")
    }
    static let unknownGrantToken = Self(.invalidGrantToken, "The grant token is not known.")
    static func grantNotFound(_ grantID: String) -> Self { .init(.notFound, "Grant ID \(grantID) not found") }
    static func invalidGrantID(_ grantID: String) -> Self {
        .init(.invalidGrantId, "\(grantID) is not a grant ID: 64 lower-case hexadecimal digits.")
    }
    static let invalidPrincipalARN = Self(.invalidArn, "ARN does not refer to a valid principal")

    // MARK: Key policies

    static let lockout = Self(
        .malformedPolicyDocument, "The new key policy will not allow you to update the key policy in the future.")
    static let invalidPrincipals = Self(
        .malformedPolicyDocument, "Policy contains a statement with one or more invalid principals.")
    static func policyTooLong(_ count: Int, maximum: Int) -> Self {
        .limitExceeded("The key policy has \(count) bytes; at most \(maximum) are allowed.")
    }
    static let noSuchPolicy = Self(.notFound, "No such policy exists")

    // MARK: States and usage

    static func keyDisabled(_ keyARN: String) -> Self { .init(.disabled, "\(keyARN) is disabled.") }
    static func invalidState(_ keyARN: String, _ state: String) -> Self {
        .init(.kmsInvalidState, "\(keyARN) \(state).")
    }
    static func invalidUsage(_ keyARN: String, _ usage: KeyUsageType, _ operation: KMSOperation) -> Self {
        .init(
            .invalidKeyUsage,
            "\(keyARN) key usage is \(usage.rawValue) which is not valid for \(operation.rawValue).")
    }
    static func incompatibleAlgorithm(_ algorithm: String, _ keySpec: KeySpec) -> Self {
        .init(
            .invalidKeyUsage,
            "Algorithm \(algorithm) is incompatible with key spec \(keySpec.rawValue).")
    }
    static let keyUsageRequired = Self(
        .validation,
        "You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.")
    static func incompatibleUsage(_ usage: KeyUsageType, _ keySpec: KeySpec) -> Self {
        .init(
            .validation, "KeyUsage \(usage.rawValue) is not compatible with KeySpec \(keySpec.rawValue)")
    }

    // MARK: Ciphertexts

    static let wrongKey = Self(
        .incorrectKey,
        "The key ID in the request does not identify a CMK that can perform this operation.")
    static let dryRunSucceeded = Self(
        .dryRunOperation, "The request would have succeeded, but the DryRun option is set.")
    static let dataKeyLength = Self(
        .validation, "Please specify either number of bytes or key spec.")
    static let numberOfBytesRequired = Self(.validation, "NumberOfBytes is required.")

    // MARK: Aliases and tags

    static let aliasPrefix = Self(
        .validation,
        "Alias must start with the prefix \"alias/\". Please see "
            + "https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
    static let aliasReserved = Self(
        .notAuthorized, "Aliases that begin with alias/aws/ are reserved for AWS managed keys.")
    static func aliasCharacters(_ name: String) -> Self {
        .init(.invalidAliasName, "\(name) contains invalid characters for an alias")
    }
    static func aliasExists(_ aliasARN: String) -> Self {
        .init(.alreadyExists, "An alias with the name \(aliasARN) already exists")
    }
    static let duplicateTagKeys = Self(.tag, "Duplicate tag keys")
    static let tooManyTags = Self(.tag, "Too many tags")
    static let reservedTagPrefix = Self(.tag, "Tags beginning with aws: are reserved")
    static let unknownMarker = Self(.invalidMarker, "The marker is not one that this listing returned.")

    // MARK: Limits

    static let throttled = Self(
        .throttling,
        "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.")

    // MARK: The rest

    /// Details go to the log only.
    static let internalError = Self(.kmsInternal, "An internal error occurred. Try the request again.")
    static let metadataNotWritten = Self(
        .kmsInternal, "The change could not be stored. Try the request again.")
}

extension Decision.Denial {
    /// Why, in AWS's words.
    fileprivate func explanation(_ action: Action) -> String {
        switch self {
        case .explicit(let statement):
            "with an explicit deny in \(statement.layer.article) \(statement.layer.rawValue)"
        case .noIdentityPolicyAllows: "because no identity-based policy allows the \(action) action"
        case .noPermissionsBoundaryAllows: "because no permissions boundary allows the \(action) action"
        case .noSessionPolicyAllows: "because no session policy allows the \(action) action"
        // Nothing that a caller could do about the difference.
        case .noResourcePolicyAllows, .notAcrossAccounts, .unreadableResourcePolicy:
            "because no resource-based policy allows the \(action) action"
        }
    }
}

extension PolicyLayer {
    fileprivate var article: String { self == .identityPolicy ? "an" : "a" }
}
