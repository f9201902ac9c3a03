internal import Cryptography
package import KMSModel
internal import KMSPolicy
package import SecureMemory
internal import SigV4

/// The role sessions of this installation. It keeps none: a session is what its token says, and its role is what the
/// principals say now. What was opened once is remembered, so that the next request with the same token opens nothing.
package final class Sessions: Sendable {
    /// A session that was opened, and what was made of it and of the principals at that time. One reference, because
    /// every request takes hold of it.
    private final class Opened: Sendable {
        let token: String
        let content: SessionContent
        let policy: NamedPolicy?
        let principals: Principals
        let principal: Principal

        init(
            token: String, content: SessionContent, policy: NamedPolicy?, principals: Principals, principal: Principal
        ) {
            self.token = token
            self.content = content
            self.policy = policy
            self.principals = principals
            self.principal = principal
        }
    }

    /// As many as signing keys are kept (`SignatureVerifier`).
    private static let rememberedLimit = 1_024

    private let secret: @Sendable () throws(KMSError) -> SecretBytes
    private let opened = BoundedCache<String, Opened>(limit: Sessions.rememberedLimit)

    /// - Parameter secret: the server's, 32 bytes, the same after a restart.
    package init(secret: @escaping @Sendable () throws(KMSError) -> SecretBytes) { self.secret = secret }

    /// How many sessions are remembered at the moment.
    package var rememberedCount: Int { opened.count }

    // MARK: Making

    /// The credentials of a new session; nil when its content does not fit into a token.
    package func issue(
        _ content: SessionContent
    ) throws(KMSError) -> (accessKeyID: String, secretKey: SecretBytes, token: String)? {
        let secret = try secret()
        do {
            let accessKeyID = try SessionCredentials.makeAccessKeyID()
            guard let token = try SessionToken.seal(content, accessKeyID: accessKeyID, secret: secret) else {
                return nil
            }
            return (accessKeyID, try SessionCredentials.secretKey(accessKeyID: accessKeyID, secret: secret), token)
        } catch {
            throw .internalFailure()
        }
    }

    // MARK: Using

    /// The secret access key that belongs to a genuine token, expired or not: nobody is told anything about a token
    /// before the signature is verified.
    func secretKey(accessKeyID: String, token: String) -> SecretBytes? {
        guard let secret = try? secret(), (try? content(accessKeyID, token, secret)) != nil else { return nil }
        return try? SessionCredentials.secretKey(accessKeyID: accessKeyID, secret: secret)
    }

    /// Who a session is. Its signature must have been verified.
    ///
    /// Errors: an unknown token; `expiredToken`; an unknown token also when the role is gone.
    func principal(
        accessKeyID: String, token: String, in principals: Principals, now: Timestamp
    ) throws(AuthenticationError) -> Principal {
        let remembered = opened.value(for: accessKeyID).flatMap { Self.isSame($0.token, token) ? $0 : nil }
        if let remembered, remembered.principals.isSame(as: principals) {
            try Self.checkExpiry(of: remembered.content, now: now)
            return remembered.principal
        }
        // The role's policies may have changed since: what was made of other principals is made again.
        let content = if let remembered { remembered.content } else { try open(accessKeyID, token) }
        try Self.checkExpiry(of: content, now: now)
        let policy = remembered?.policy ?? content.policy.map { SessionPolicies.inline($0) }
        guard let principal = Self.principal(content, policy, in: principals.directory) else { throw .unknown }
        opened.insert(
            Opened(token: token, content: content, policy: policy, principals: principals, principal: principal),
            // Nothing here is ever revoked: a token stays genuine, and principals are compared each time.
            for: accessKeyID, ifStill: opened.generation)
        return principal
    }

    private static func checkExpiry(of content: SessionContent, now: Timestamp) throws(AuthenticationError) {
        guard now.secondsSinceEpoch < Double(content.expiry) else { throw .expiredToken }
    }

    private func open(_ accessKeyID: String, _ token: String) throws(AuthenticationError) -> SessionContent {
        let content: SessionContent?
        do {
            content = try self.content(accessKeyID, token, secret())
        } catch {
            throw .signature(.internalFailure("\(error)"))
        }
        guard let content else { throw .unknown }
        return content
    }

    private func content(
        _ accessKeyID: String, _ token: String, _ secret: SecretBytes
    ) throws(CryptographyError) -> SessionContent? {
        try SessionToken.open(token, accessKeyID: accessKeyID, secret: secret)
    }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        constantTimeEquals(left.utf8.span, right.utf8.span)
    }

    /// Nil when the role is gone, or another one has its name.
    private static func principal(
        _ content: SessionContent, _ policy: NamedPolicy?, in directory: PrincipalDirectory
    ) -> Principal? {
        guard let role = directory.role(content.roleARN), role.uniqueID == content.roleUniqueID else { return nil }
        let account = directory.account(role.accountID)
        let managed = content.policyARNs.map { arn in
            SessionPolicies.managed(arn, of: role, in: directory) ?? .nothing(named: arn)
        }
        return .session(
            of: role,
            Principal.Session(
                name: content.sessionName, issueTime: Timestamp(secondsSinceEpoch: Double(content.issueTime)),
                sourceIdentity: content.sourceIdentity,
                transitiveTagKeys: content.tags.filter(\.isTransitive).map(\.key)),
            sessionTags: Dictionary(content.tags.map { ($0.key, $0.value) }, uniquingKeysWith: { $1 }),
            sessionPolicies: managed + (policy.map { [$0] } ?? []),
            organizationID: account?.organizationID)
    }
}
