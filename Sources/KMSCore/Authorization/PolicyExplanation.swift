public import KMSModel
public import KMSPolicy

/// Why a call is, or would be, allowed or denied: the decision of the server on stored metadata, with every statement
/// and grant that was looked at.
public struct PolicyExplanation: Sendable {
    public let explanation: Explanation
    /// What the server itself says of every request for the action.
    private static func facts(
        of action: KeyAction, _ caller: Principal, _ given: GivenConditions
    ) throws(KMSError) -> RequestFacts {
        switch action.grantOperation {
        case .encrypt, .decrypt, .reEncryptFrom, .reEncryptTo, .generateDataKey, .generateDataKeyWithoutPlaintext,
            .generateDataKeyPair, .generateDataKeyPairWithoutPlaintext:
            return .encryption(given.encryptionContext)
        case .retireGrant:
            throw .validation(
                "kms:RetireGrant is decided by the grant: its retiring principal, its grantee if it says so, and the "
                    + "account that created it may retire it, unless a policy denies that.")
        default:
            let facts = RequestFacts(encryptionContext: given.encryptionContext)
            let isOnGrants = [KMSOperation.createGrant, .listGrants, .revokeGrant].contains {
                KeyAction.of($0).action == action.action
            }
            return isOnGrants ? facts.with(.grantIsForAWSResource, caller.viaService != nil) : facts
        }
    }

    /// A principal may have 50,000 grants on one key.
    private static let mostGrants = 100

    /// The ARN that policies were compared with; `*` for actions on no key.
    public let resource: String

    /// - Parameters:
    ///   - principal: the ARN of a user, a role, a session of a role, or an account's root.
    ///   - action: for example `kms:Encrypt`.
    ///   - key: an identifier in any form; nil for actions on no key, such as `kms:CreateKey`.
    ///   - context: condition keys of the request and their values; a key that comes again has several values.
    ///
    /// Errors: ValidationException for an unknown principal or action, and those of key identifiers.
    public init(
        contents: MetadataContents, principals: PrincipalDirectory, principal arn: Text, action: Text, key: Text?,
        region: String, context: [(name: Text, value: Text)], time: Timestamp
    ) throws(KMSError) {
        guard let caller = principals.principal(arn) else {
            throw .validation("The principals file has no principal \(arn.string).")
        }
        let action = try KeyAction(named: action)
        let given = try GivenConditions(context)
        let facts = try Self.facts(of: action, caller, given)
        let environment = RequestEnvironment(
            region: region, time: time, sourceIP: nil, userAgent: nil, referer: nil,
            viaService: caller.viaService)
        guard let key else {
            resource = "*"
            explanation = explain(
                .identityOnly(action.action, on: "*", caller),
                Overridden(given, RequestConditions(caller, environment, facts)))
            return
        }
        let scope = Scope(accountID: caller.accountID, region: region)
        let directory = Directory(contents)
        var target = directory.target(try KeyIdentifier(key, in: scope), in: scope, action, facts, caller: caller)
        guard let id = target.key?.id else {
            throw target.isMissingAlias ? .aliasNotFound(target.arn) : .keyNotFound(target.arn)
        }
        // Those that do not fit as well, because why not is what people ask. They decide nothing.
        let grants = directory.grants(on: id, in: target.owner)
        let own = caller.grantARNs.flatMap { grants.granted(to: $0) }
        target.grants += own.filter { grant in !target.grants.contains { $0.id == grant.id } }.prefix(Self.mostGrants)
        resource = target.arn
        explanation = explain(
            target.query(action, facts, caller),
            Overridden(
                given,
                RequestConditions(
                    caller, environment, facts, target,
                    organizationID: principals.account(target.owner.accountID)?.organizationID)))
    }
}

/// The condition keys that somebody gave on a command line.
private struct GivenConditions: Sendable {
    var encryptionContext: [Text: Text]?
    private var values: [(key: ConditionKey, values: [Text])] = []

    init(_ context: [(name: Text, value: Text)]) throws(KMSError) {
        for (name, value) in context {
            let key: ConditionKey
            do { key = try ConditionKey(name: name) } catch { throw .validation(error.description) }
            if case .encryptionContext(let name) = key {
                encryptionContext = (encryptionContext ?? [:]).merging([name: value]) { $1 }
            } else if let index = values.firstIndex(where: { $0.key == key }) {
                values[index].values.append(value)
            } else {
                values.append((key, [value]))
            }
        }
    }

    func values(of key: ConditionKey) -> ConditionValues? {
        guard let found = values.first(where: { $0.key == key })?.values, let first = found.first else { return nil }
        return found.count == 1 && !key.isMultivalued ? .single(first) : .multiple(found)
    }
}

/// A request as the server knows it, with some of its condition keys replaced.
private struct Overridden: ConditionSource {
    private let given: GivenConditions
    private let rest: RequestConditions

    init(_ given: GivenConditions, _ rest: RequestConditions) {
        self.given = given
        self.rest = rest
    }

    func values(of key: ConditionKey) -> ConditionValues? { given.values(of: key) ?? rest.values(of: key) }
}

extension KeyAction {
    /// An action by the name that policies use, in any case.
    fileprivate init(named name: Text) throws(KMSError) {
        let found = (KMSOperation.allCases.map(Self.of) + [.reEncryptFrom, .reEncryptTo])
            .first { $0.action.name.equalsWithoutCase(name) }
        guard let found else { throw .validation("There is no action \(name.string): write it like kms:Encrypt.") }
        self = found
    }
}
