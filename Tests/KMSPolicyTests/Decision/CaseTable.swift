import Foundation
import KMSModel
import KMSPolicy

/// The table of decisions in the folder `Cases`: rows in files by subject, and what they have in common, documents and
/// principals, by name.
///
/// A row is either a whole situation (`principal`, `resourcePolicy`, `expect`, …), or tests a condition: `when` is the
/// condition of the one Allow of a key policy, `denyWhen` that of a Deny beside an Allow; `holds` says whether it
/// holds.
struct CaseTable {
    struct Row: Sendable, CustomStringConvertible {
        let name: String
        let query: AuthorizationQuery
        let conditions: GivenConditions
        let expected: String

        var description: String { name }
    }

    static let files = ["access", "elements", "limits", "operators", "keys", "grants", "trust"]
    static let keyARN: Text = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    static let accountID = "111122223333"
    /// 2026-01-15T12:00:00Z.
    static let time = Timestamp(secondsSinceEpoch: 1_768_478_400)

    private let documents: [String: Any]
    private let principals: [String: Any]

    init() throws {
        documents = try Self.object("documents.json")
        principals = try Self.object("principals.json")
    }

    static func rows() throws -> [Row] {
        let table = try CaseTable()
        return try files.flatMap { file in
            guard let groups = try JSONFields.contents(of: "\(file).json") as? [Any] else {
                throw JSONFields.Failure(description: "\(file) is not an array")
            }
            return try groups.flatMap { try table.rows(ofGroup: $0, file) }
        }
    }

    private static func object(_ file: String) throws -> [String: Any] {
        guard let object = try JSONFields.contents(of: file) as? [String: Any] else {
            throw JSONFields.Failure(description: "\(file) is not an object")
        }
        return object
    }

    private func rows(ofGroup group: Any, _ file: String) throws -> [Row] {
        var fields = try JSONFields(group, file)
        let source: String = try fields.require("source")
        let rows: [Any] = try fields.require("rows")
        try fields.end()
        return try rows.map { try row($0, "\(file), \(source)") }
    }

    func row(_ row: Any, _ place: String) throws -> Row {
        var fields = try JSONFields(row, place)
        let name: String = try fields.require("name")
        let place = "\(place): \(name)"
        let conditionTest = try ConditionTest(&fields)
        let principal = try principal(&fields, isOptional: conditionTest != nil, place)
        let action = Action(Text(try fields.take("action") ?? "kms:Encrypt"))
        let resourcePolicy =
            try conditionTest.map { .document(try PolicyDocument(parsing: Text($0.policy), as: .keyPolicy)) }
            ?? resourcePolicy(fields.takeAny("resourcePolicy"), action, place)
        let context: [String: Any] = try fields.take("context") ?? [:]
        let encryptionContext: [String: String]? = try fields.take("encryptionContext")
        let grants: [Any] = try fields.take("grants") ?? []
        let query = AuthorizationQuery(
            principal: principal, action: action, resource: Text(try fields.take("resource") ?? Self.keyARN.string),
            resourceAccountID: try fields.take("resourceAccount") ?? Self.accountID, resourcePolicy: resourcePolicy,
            mayCrossAccounts: try fields.take("crossAccounts") ?? true,
            grants: try grants.map { try grant($0, place) }, encryptionContext: encryptionContext?.texts,
            grantOperation: GrantOperation(rawValue: String(action.name.string.dropFirst(4))))
        let expected = try conditionTest?.expected ?? fields.require("expect")
        try fields.end()
        return Row(
            name: place, query: query, conditions: try GivenConditions(context, principal, time: Self.time),
            expected: expected)
    }

    private func document(_ name: String, as kind: PolicyDocument.Kind, _ place: String) throws -> PolicyDocument {
        guard let document = documents[name] else {
            throw JSONFields.Failure(description: "\(place): there is no document \(name)")
        }
        do {
            return try PolicyDocument(parsing: Text(try JSONFields.text(document)), as: kind)
        } catch let error as PolicyError {
            throw JSONFields.Failure(description: "\(place): \(name): \(error)")
        }
    }

    private func resourcePolicy(
        _ value: Any?, _ action: Action, _ place: String
    ) throws -> AuthorizationQuery.ResourcePolicy {
        switch value {
        case "not applicable" as String: return .notApplicable
        case "unreadable" as String: return .unreadable
        case let name as String:
            let kind: PolicyDocument.Kind = action.name.string.hasPrefix("sts:") ? .trustPolicy : .keyPolicy
            return .document(try document(name, as: kind, place))
        case let statements as [Any]:
            return .document(try Self.policy(statements, as: .keyPolicy, place))
        default:
            throw JSONFields.Failure(description: "\(place) has no resourcePolicy")
        }
    }

    private static func policy(
        _ statements: [Any], as kind: PolicyDocument.Kind, _ place: String
    ) throws -> PolicyDocument {
        do {
            let text = try JSONFields.text(["Version": "2012-10-17", "Statement": statements] as [String: Any])
            return try PolicyDocument(parsing: Text(text), as: kind)
        } catch let error as PolicyError {
            throw JSONFields.Failure(description: "\(place): \(error)")
        }
    }

    private func policies(_ names: [String]?, _ place: String) throws -> [NamedPolicy] {
        try (names ?? []).map {
            NamedPolicy(name: Text($0), document: try document($0, as: .identityPolicy, place))
        }
    }

    private func principal(
        _ fields: inout JSONFields, isOptional: Bool, _ place: String
    ) throws -> Principal {
        let name: String = try isOptional ? fields.take("principal") ?? "alice" : fields.require("principal")
        var identity: [NamedPolicy] = []
        if let statements: [Any] = try fields.take("identityStatements") {
            let document = try Self.policy(statements, as: .identityPolicy, place)
            identity = [NamedPolicy(name: "inline", document: document)]
        }
        identity += try policies(fields.take("identity"), place)
        let boundary = try policies(fields.take("boundary").map { [$0] }, place).first
        let sessionPolicies = try policies(fields.take("sessionPolicies"), place)
        return try principal(name, identity, boundary, sessionPolicies, place)
    }

    private func principal(
        _ name: String, _ identity: [NamedPolicy], _ boundary: NamedPolicy?, _ sessionPolicies: [NamedPolicy],
        _ place: String
    ) throws -> Principal {
        guard let value = principals[name] else {
            throw JSONFields.Failure(description: "\(place): there is no principal \(name)")
        }
        var fields = try JSONFields(value, "principal \(name)")
        if let accountID: String = try fields.take("root") {
            try fields.end()
            return .root(of: accountID, partition: "aws", organizationID: nil, viaService: nil)
        }
        let uniqueID = Text(try fields.require("uniqueID", as: String.self))
        let tags = try fields.require("tags", as: [String: String].self).texts
        let organization: String? = try fields.take("organization")
        if let arn: String = try fields.take("user") {
            try fields.end()
            return Principal(
                kind: .user(name: Text(Self.lastPart(arn))), accountID: Self.account(arn), arn: Text(arn),
                identityARN: Text(arn), uniqueID: uniqueID, tags: tags, identityPolicies: identity,
                permissionsBoundary: boundary, sessionPolicies: sessionPolicies,
                organizationID: organization.map { Text($0) })
        }
        let arn: String = try fields.require("role")
        let session: String = try fields.require("session")
        try fields.end()
        let role = Role(
            arn: Text(arn), name: Text(Self.lastPart(arn)), accountID: Self.account(arn), uniqueID: uniqueID,
            trustPolicy: PolicyDocument(version: .version2012, statements: []), tags: tags,
            identityPolicies: identity, permissionsBoundary: boundary)
        return .session(
            of: role, .init(name: Text(session), issueTime: Self.time), sessionTags: [:],
            sessionPolicies: sessionPolicies, organizationID: organization.map { Text($0) })
    }

    private func grant(_ value: Any, _ place: String) throws -> Grant {
        var fields = try JSONFields(value, "\(place), grant")
        let grantee: String = try fields.require("grantee")
        let operations: [String] = try fields.require("operations")
        let equals: [String: String]? = try fields.take("equals")
        let subset: [String: String]? = try fields.take("subset")
        let id: String = try fields.require("id")
        try fields.end()
        let arn = grantee.hasPrefix("arn:") ? Text(grantee) : try principal(grantee, [], nil, [], place).arn
        return Grant(
            id: id, name: nil, granteePrincipal: arn, retiringPrincipal: nil,
            operations: try operations.map {
                guard let operation = GrantOperation(rawValue: $0) else {
                    throw JSONFields.Failure(description: "\(place): there is no grant operation \($0)")
                }
                return operation
            }, encryptionContextEquals: equals?.texts, encryptionContextSubset: subset?.texts,
            issuingAccount: "arn:aws:iam::111122223333:root", creationDate: Self.time)
    }

    private static func lastPart(_ arn: String) -> String { String(arn.split(separator: "/").last ?? "") }

    private static func account(_ arn: String) -> String { String(arn.split(separator: ":")[3]) }
}

/// What a row with `when` or `denyWhen` stands for.
private struct ConditionTest {
    let policy: String
    let expected: String

    /// Nil when the row is no such row.
    init?(_ fields: inout JSONFields) throws {
        let version: String = try fields.take("version") ?? "2012-10-17"
        let when: [String: Any]? = try fields.take("when")
        let denyWhen: [String: Any]? = try fields.take("denyWhen")
        guard let condition = when ?? denyWhen else { return nil }
        let holds: Bool = try fields.require("holds")
        var allow: [String: Any] = [
            "Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": [
                "AWS": ["arn:aws:iam::111122223333:user/alice", "arn:aws:iam::111122223333:role/deploy"]
            ],
        ]
        var statements: [Any]
        if when != nil {
            allow["Condition"] = condition
            statements = [allow]
            expected = holds ? "allowed by resource policy 1" : "denied: no resource policy"
        } else {
            let deny: [String: Any] = [
                "Effect": "Deny", "Principal": "*", "Action": "kms:*", "Resource": "*", "Condition": condition,
            ]
            statements = [allow, deny]
            expected = holds ? "denied by resource policy 2" : "allowed by resource policy 1"
        }
        policy = try JSONFields.text(["Version": version, "Statement": statements] as [String: Any])
    }
}

extension [String: String] {
    var texts: [Text: Text] {
        Dictionary<Text, Text>(uniqueKeysWithValues: map { (Text($0.key), Text($0.value)) })
    }
}
