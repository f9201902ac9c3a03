/// An answer of STS that is an error, with AWS's code and message.
///
/// Codes and statuses: AWS STS API Reference, "Common Errors" and the errors of AssumeRole.
package struct STSError: Error, Sendable, Hashable {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case accessDenied = "AccessDenied"
        case expiredToken = "ExpiredToken"
        case incompleteSignature = "IncompleteSignature"
        case internalFailure = "InternalFailure"
        case invalidAction = "InvalidAction"
        case invalidClientTokenID = "InvalidClientTokenId"
        case invalidParameterValue = "InvalidParameterValue"
        case malformedInput = "MalformedInput"
        case malformedPolicyDocument = "MalformedPolicyDocument"
        case missingAction = "MissingAction"
        case missingAuthenticationToken = "MissingAuthenticationToken"
        case packedPolicyTooLarge = "PackedPolicyTooLarge"
        case signatureDoesNotMatch = "SignatureDoesNotMatch"
        case validation = "ValidationError"
    }

    package let code: Code
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var httpStatus: Int {
        switch code {
        case .accessDenied, .expiredToken, .invalidClientTokenID, .missingAuthenticationToken, .signatureDoesNotMatch:
            403
        case .internalFailure: 500
        case .incompleteSignature, .invalidAction, .invalidParameterValue, .malformedInput, .malformedPolicyDocument,
            .missingAction, .packedPolicyTooLarge, .validation:
            400
        }
    }

    static func malformedInput(_ message: String) -> Self { .init(.malformedInput, message) }
    static func validation(_ message: String) -> Self { .init(.validation, message) }
    static func invalidParameterValue(_ message: String) -> Self { .init(.invalidParameterValue, message) }

    /// Details go to the log only.
    static let internalFailure = Self(.internalFailure, "An internal error occurred. Try the request again.")

    // MARK: Texts of AWS's, word for word

    static func accessDenied(_ principal: String, action: String, role: String) -> Self {
        .init(
            .accessDenied, "User: \(principal) is not authorized to perform: \(action) on resource: \(role)")
    }
    static let rootMayNotAssumeRoles = Self(.accessDenied, "Roles may not be assumed by root accounts.")
    static let invalidRequestARN = Self.validation("Request ARN is invalid")
    static let chainedSessionTooLong = Self.validation(
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")
    static let sessionTooLong = Self.validation(
        "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    static let sourceIdentityIsSet = Self.validation(
        "The source identity is already set for this assume role session")
    static let duplicateTagKeys = Self.invalidParameterValue(
        "Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    static let transitiveKeyWithoutTag = Self.invalidParameterValue(
        "The specified transitive tag key must be included in the requested tags.")
    static let transitiveTagConflict = Self.invalidParameterValue(
        "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the "
            + "calling session.")
    static func packedPolicyTooLarge(percent: Int) -> Self {
        .init(
            .packedPolicyTooLarge,
            "Packed policy consumes \(percent)% of allotted space, please use smaller policy.")
    }
    static func packedTagsTooLarge(percent: Int) -> Self {
        .init(.packedPolicyTooLarge, "Packed size of session tags consumes \(percent)% of allotted space.")
    }
    static func unknownAction(_ action: String, version: String?) -> Self {
        .init(
            .invalidAction, "Could not find operation \(action) for version \(version ?? "NO_VERSION_SPECIFIED")")
    }
}
