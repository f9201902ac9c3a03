import KMSModel
import KMSPolicy

/// SplitMix64: the same seed makes the same situations.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

/// Policies, principals, grants and requests that fit each other often, so that every decision occurs.
struct GeneratedSituations {
    private(set) var random: SeededGenerator

    static let actions = ["kms:Encrypt", "kms:Decrypt", "kms:DescribeKey", "kms:CreateGrant", "kms:PutKeyPolicy"]
    static let contextKeys = ["app", "stage"]
    static let contextValues = ["a", "b"]

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func one<Element>(of elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    mutating func chance(_ part: Double) -> Bool { Double.random(in: 0..<1, using: &random) < part }

    mutating func some<Element>(_ count: ClosedRange<Int>, _ make: (inout Self) throws -> Element) rethrows -> [Element]
    {
        try (0..<Int.random(in: count, using: &random)).map { _ in try make(&self) }
    }

    // MARK: Statements

    /// JSON of one statement, with `Principal` when it is for a resource policy.
    mutating func statement(hasPrincipal: Bool, effect: String? = nil) -> String {
        var members = ["\"Effect\": \"\(effect ?? (chance(0.8) ? "Allow" : "Deny"))\""]
        if hasPrincipal {
            members.append("\"\(chance(0.85) ? "Principal" : "NotPrincipal")\": {\"AWS\": \(principals())}")
        }
        let actions = ["kms:*", "*", "kms:?ncrypt", "kms:*crypt", "KMS:DESCRIBEKEY", "kms:CreateGrant", "ec2:*"]
        members.append("\"\(chance(0.85) ? "Action" : "NotAction")\": \(list(of: actions))")
        let resources = [
            "*", "*", CaseTable.keyARN.string, "arn:aws:kms:*:111122223333:key/*", "arn:aws:kms:eu-*:*:key/*",
            "arn:aws:kms:*:*:key/${aws:username}",
        ]
        members.append("\"\(chance(0.9) ? "Resource" : "NotResource")\": \(list(of: resources))")
        if chance(0.4) { members.append("\"Condition\": {\(condition())}") }
        return "{\(members.joined(separator: ", "))}"
    }

    private mutating func principals() -> String {
        list(of: [
            "*", "111122223333", "444455556666", "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::444455556666:user/carol",
            "arn:aws:iam::111122223333:role/deploy", "arn:aws:sts::111122223333:assumed-role/deploy/ci",
            "AIDAEXAMPLEALICE23456", "AROAEXAMPLEDEPLOY2345",
        ])
    }

    private mutating func condition() -> String {
        let values = list(of: Self.contextValues)
        let key = "kms:EncryptionContext:\(one(of: Self.contextKeys))"
        return one(of: [
            "\"StringEquals\": {\"\(key)\": \(values)}", "\"StringNotEquals\": {\"\(key)\": \(values)}",
            "\"StringLikeIfExists\": {\"\(key)\": \(values)}", "\"Null\": {\"\(key)\": \"\(chance(0.5))\"}",
            "\"ForAllValues:StringEquals\": {\"kms:EncryptionContextKeys\": \(list(of: Self.contextKeys))}",
            "\"ForAnyValue:StringEquals\": {\"kms:EncryptionContextKeys\": \(list(of: Self.contextKeys))}",
            // Cannot be told when the request has both keys.
            "\"StringEquals\": {\"kms:EncryptionContextKeys\": \(list(of: Self.contextKeys))}",
            "\"StringEquals\": {\"\(key)\": \"${aws:username}\"}",
            "\"NumericLessThan\": {\"\(key)\": \"3\"}",
        ])
    }

    private mutating func list(of texts: [String]) -> String {
        let chosen = Set(some(1...2) { $0.one(of: texts) }).sorted().map { "\"\($0)\"" }
        return "[\(chosen.joined(separator: ", "))]"
    }

    mutating func policy(hasPrincipal: Bool, _ count: ClosedRange<Int> = 1...4) throws -> PolicyDocument {
        let statements = some(count) { $0.statement(hasPrincipal: hasPrincipal) }
        return try Self.policy(statements, hasPrincipal: hasPrincipal)
    }

    static func policy(_ statements: [String], hasPrincipal: Bool) throws -> PolicyDocument {
        try PolicyDocument(
            parsing: Text("{\"Version\": \"2012-10-17\", \"Statement\": [\(statements.joined(separator: ", "))]}"),
            as: hasPrincipal ? .keyPolicy : .identityPolicy)
    }

    // MARK: Queries

    mutating func policies(_ count: ClosedRange<Int>, _ name: String) throws -> [NamedPolicy] {
        try some(count) { situations in
            let suffix = situations.random.next() % 1000
            return NamedPolicy(name: "\(name)\(suffix)", document: try situations.policy(hasPrincipal: false, 1...3))
        }
    }

    mutating func principal() throws -> Principal {
        let identity = try policies(0...2, "identity")
        let boundary = chance(0.25) ? try policies(1...1, "boundary").first : nil
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
            return .root(of: "111122223333", partition: "aws", organizationID: nil, viaService: nil)
        case 1, 2:
            let arn: Text =
                chance(0.6) ? "arn:aws:iam::111122223333:user/alice" : "arn:aws:iam::444455556666:user/carol"
            let isAlice = arn.string.hasSuffix("alice")
            return Principal(
                kind: .user(name: isAlice ? "alice" : "carol"), accountID: isAlice ? "111122223333" : "444455556666",
                arn: arn, identityARN: arn, uniqueID: isAlice ? "AIDAEXAMPLEALICE23456" : "AIDAEXAMPLECAROL23456",
                identityPolicies: identity, permissionsBoundary: boundary)
        default:
            let role = Role(
                arn: "arn:aws:iam::111122223333:role/deploy", name: "deploy", accountID: "111122223333",
                uniqueID: "AROAEXAMPLEDEPLOY2345",
                trustPolicy: PolicyDocument(version: .version2012, statements: []), identityPolicies: identity,
                permissionsBoundary: boundary)
            return .session(
                of: role, .init(name: "ci", issueTime: CaseTable.time), sessionTags: [:],
                sessionPolicies: try policies(chance(0.3) ? 1...2 : 0...0, "session"), organizationID: nil)
        }
    }

    mutating func encryptionContext() -> [Text: Text] {
        var context: [Text: Text] = [:]
        for key in Self.contextKeys where chance(0.5) { context[Text(key)] = Text(one(of: Self.contextValues)) }
        return context
    }

    mutating func grant(_ id: String, to grantees: [Text], _ operations: [GrantOperation]) -> Grant {
        Grant(
            id: id, name: nil, granteePrincipal: one(of: grantees), retiringPrincipal: nil,
            operations: Set(some(1...3) { $0.one(of: operations) }).sorted { $0.rawValue < $1.rawValue },
            encryptionContextEquals: chance(0.3) ? encryptionContext() : nil,
            encryptionContextSubset: chance(0.3) ? encryptionContext() : nil,
            issuingAccount: "arn:aws:iam::111122223333:root", creationDate: CaseTable.time)
    }

    static let grantees: [Text] = [
        "arn:aws:iam::111122223333:user/alice", "arn:aws:iam::444455556666:user/carol",
        "arn:aws:iam::111122223333:role/deploy", "arn:aws:sts::111122223333:assumed-role/deploy/ci",
        "arn:aws:iam::111122223333:root",
    ]

    mutating func query() throws -> (AuthorizationQuery, GivenConditions) {
        let principal = try principal()
        let action = one(of: Self.actions)
        let context = encryptionContext()
        let operation = GrantOperation(rawValue: String(action.dropFirst(4)))
        let resourcePolicy: AuthorizationQuery.ResourcePolicy =
            chance(0.1) ? .notApplicable : .document(try policy(hasPrincipal: true))
        let grants = some(0...2) { situations in
            let id = "g\(situations.random.next() % 1000)"
            return situations.grant(id, to: Self.grantees, [.encrypt, .decrypt, .describeKey, .createGrant])
        }
        let query = AuthorizationQuery(
            principal: principal, action: Action(Text(action)), resource: CaseTable.keyARN,
            resourceAccountID: "111122223333", resourcePolicy: resourcePolicy, mayCrossAccounts: chance(0.9),
            grants: grants, encryptionContext: context, grantOperation: operation)
        var values: [String: Any] = ["kms:EncryptionContextKeys": context.keys.map(\.string)]
        if context.isEmpty { values = [:] }
        for (key, value) in context { values["kms:EncryptionContext:\(key)"] = value.string }
        return (query, try GivenConditions(values, principal, time: CaseTable.time))
    }
}
