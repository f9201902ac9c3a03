/// A policy that has been read and can be evaluated.
///
/// Source of the grammar: IAM User Guide, "Grammar of the IAM JSON policy language"; KMS Developer Guide, "Key
/// policies".
public struct PolicyDocument: Sendable, Hashable {
    /// What a policy is attached to decides which elements it must and may have.
    public enum Kind: Sendable, Hashable {
        /// Attached to a KMS key: every statement has a Principal or NotPrincipal.
        case keyPolicy
        /// Attached to a user or role, or limiting one as permissions boundary or session policy: has neither.
        case identityPolicy
        /// Attached to a role: says who may assume it. Has principals, no Resource.
        case trustPolicy
    }

    /// The version of the policy language. The older one, which is also the default, has no policy variables.
    public enum Version: String, Sendable, Hashable {
        case version2008 = "2008-10-17"
        case version2012 = "2012-10-17"
    }

    public let version: Version
    public let statements: [Statement]

    package init(version: Version, statements: [Statement]) {
        self.version = version
        self.statements = statements
    }
}

/// Why a policy document cannot be taken: one sentence that says what is wrong, where, and what would be right. Never
/// quotes more than a few dozen characters of the document.
public struct PolicyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Which of AWS's errors it is.
    public enum Code: Sendable, Hashable {
        /// MalformedPolicyDocumentException.
        case malformed
        /// The document is understood, but names principals that cannot be principals
        /// (`Policy contains a statement with one or more invalid principals.`).
        case invalidPrincipal
    }

    public let code: Code
    public let description: String

    public init(_ description: String) { self.init(.malformed, description) }

    public init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
