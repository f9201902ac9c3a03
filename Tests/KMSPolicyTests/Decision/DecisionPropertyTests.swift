import KMSModel
import KMSPolicy
import Testing

/// What holds for every policy, tried on situations made from seeds.
struct `Every decision` {
    static let seeds: [UInt64] = Array(1...25)
    static let perSeed = 100

    @Test(arguments: seeds)
    func `is the one that is explained`(seed: UInt64) throws {
        var situations = GeneratedSituations(seed: seed)
        for _ in 0..<Self.perSeed {
            let (query, conditions) = try situations.query()
            let explanation = explain(query, conditions)
            #expect(explanation.decision == decide(query, conditions))
            if let contradiction = explanation.contradiction {
                Issue.record("seed \(seed): \(contradiction): \(explanation)")
            }
        }
    }

    @Test(arguments: seeds)
    func `is a denial where a Deny matches, in whatever layer`(seed: UInt64) throws {
        var situations = GeneratedSituations(seed: seed)
        let deny = try GeneratedSituations.policy(
            ["{\"Effect\": \"Deny\", \"Action\": \"*\", \"Resource\": \"*\"}"], hasPrincipal: false)
        let denyEveryone = try GeneratedSituations.policy(
            ["{\"Effect\": \"Deny\", \"Principal\": \"*\", \"Action\": \"*\", \"Resource\": \"*\"}"],
            hasPrincipal: true)
        for _ in 0..<Self.perSeed {
            let (query, conditions) = try situations.query()
            for layer in 0..<4 {
                let denied = Self.adding(deny, denyEveryone, toLayer: layer, of: query)
                guard case .denied(let denial) = decide(denied, conditions) else {
                    Issue.record("seed \(seed): a Deny in layer \(layer) does not deny")
                    continue
                }
                if denial == .notAcrossAccounts { continue }
                guard case .explicit = denial else {
                    Issue.record("seed \(seed): layer \(layer): \(denial)")
                    continue
                }
            }
        }
    }

    @Test(arguments: seeds)
    func `stays allowed when an Allow is added`(seed: UInt64) throws {
        var situations = GeneratedSituations(seed: seed)
        for _ in 0..<Self.perSeed {
            let (query, conditions) = try situations.query()
            let allow = try GeneratedSituations.policy(
                [situations.statement(hasPrincipal: false, effect: "Allow")], hasPrincipal: false)
            let allowInResourcePolicy = try GeneratedSituations.policy(
                [situations.statement(hasPrincipal: true, effect: "Allow")], hasPrincipal: true)
            guard decide(query, conditions).isAllowed else { continue }
            for layer in 0..<4 {
                // A limit where there was none is not an Allow more.
                if layer == 2 && query.principal.permissionsBoundary == nil { continue }
                if layer == 3 && query.principal.sessionPolicies.isEmpty { continue }
                if layer == 0, case .notApplicable = query.resourcePolicy { continue }
                let more = Self.adding(allow, allowInResourcePolicy, toLayer: layer, of: query)
                let decision = decide(more, conditions)
                #expect(decision.isAllowed, "seed \(seed): an Allow in layer \(layer) makes it \(decision)")
            }
            var withGrant = query
            withGrant.grants.insert(
                situations.grant("more", to: GeneratedSituations.grantees, [.encrypt, .decrypt]), at: 0)
            #expect(decide(withGrant, conditions).isAllowed)
        }
    }

    @Test(arguments: seeds)
    func `does not depend on the order of statements, policies and grants`(seed: UInt64) throws {
        var situations = GeneratedSituations(seed: seed)
        for _ in 0..<Self.perSeed {
            let (query, conditions) = try situations.query()
            var shuffled = query
            if case .document(let document) = query.resourcePolicy {
                shuffled.resourcePolicy = .document(Self.shuffled(document, &situations))
            }
            shuffled.grants = Self.shuffled(query.grants, &situations)
            let principal = query.principal
            shuffled.principal = Self.copy(
                of: principal, identity: Self.shuffled(principal.identityPolicies, &situations),
                boundary: principal.permissionsBoundary.map { Self.shuffled([$0], &situations)[0] },
                session: Self.shuffled(principal.sessionPolicies, &situations))
            #expect(decide(query, conditions).kind == decide(shuffled, conditions).kind, "seed \(seed)")
        }
    }

    @Test
    func `occurs among the situations that are tried`() throws {
        var kinds: [String: Int] = [:]
        for seed in Self.seeds {
            var situations = GeneratedSituations(seed: seed)
            for _ in 0..<Self.perSeed {
                let (query, conditions) = try situations.query()
                switch decide(query, conditions) {
                case .allowed(.resourcePolicy): kinds["resource policy", default: 0] += 1
                case .allowed(.identityPolicy): kinds["identity policy", default: 0] += 1
                case .allowed(.grant): kinds["grant", default: 0] += 1
                case let denial: kinds[denial.kind, default: 0] += 1
                }
            }
        }
        let wanted = [
            "resource policy", "identity policy", "grant", "denied by resource-based policy",
            "denied by identity-based policy", "denied by permissions boundary", "denied by session policy",
            "denied: no resource policy", "denied: no identity policy", "denied: no permissions boundary",
            "denied: no session policy", "denied: not across accounts",
        ]
        for kind in wanted { #expect(kinds[kind, default: 0] >= 5, "\(kind) occurs too seldom: \(kinds)") }
    }

    // MARK: Changed situations

    private static func adding(
        _ policy: PolicyDocument, _ resourcePolicy: PolicyDocument, toLayer layer: Int, of query: AuthorizationQuery
    ) -> AuthorizationQuery {
        var query = query
        let principal = query.principal
        let named = NamedPolicy(name: "added", document: policy)
        switch layer {
        case 0:
            var statements = resourcePolicy.statements
            if case .document(let document) = query.resourcePolicy { statements = document.statements + statements }
            query.resourcePolicy = .document(PolicyDocument(version: .version2012, statements: statements))
        case 1:
            query.principal = copy(
                of: principal, identity: principal.identityPolicies + [named],
                boundary: principal.permissionsBoundary, session: principal.sessionPolicies)
        case 2:
            let statements = (principal.permissionsBoundary?.document.statements ?? []) + policy.statements
            let boundary = NamedPolicy(
                name: "boundary", document: PolicyDocument(version: .version2012, statements: statements))
            query.principal = copy(
                of: principal, identity: principal.identityPolicies, boundary: boundary,
                session: principal.sessionPolicies)
        default:
            query.principal = copy(
                of: principal, identity: principal.identityPolicies, boundary: principal.permissionsBoundary,
                session: principal.sessionPolicies + [named])
        }
        return query
    }

    private static func copy(
        of principal: Principal, identity: [NamedPolicy], boundary: NamedPolicy?, session: [NamedPolicy]
    ) -> Principal {
        Principal(
            kind: principal.kind, accountID: principal.accountID, arn: principal.arn,
            identityARN: principal.identityARN, uniqueID: principal.uniqueID, tags: principal.tags,
            identityPolicies: identity, permissionsBoundary: boundary, sessionPolicies: session,
            organizationID: principal.organizationID, viaService: principal.viaService)
    }

    private static func shuffled<Element>(_ elements: [Element], _ situations: inout GeneratedSituations) -> [Element] {
        var rest = elements
        var result: [Element] = []
        while !rest.isEmpty {
            result.append(rest.remove(at: situations.one(of: Array(rest.indices))))
        }
        return result
    }

    private static func shuffled(
        _ document: PolicyDocument, _ situations: inout GeneratedSituations
    ) -> PolicyDocument {
        PolicyDocument(version: document.version, statements: shuffled(document.statements, &situations))
    }

    private static func shuffled(
        _ policies: [NamedPolicy], _ situations: inout GeneratedSituations
    ) -> [NamedPolicy] {
        let order = shuffled(Array(policies.indices), &situations)
        return order.map {
            NamedPolicy(name: policies[$0].name, document: shuffled(policies[$0].document, &situations))
        }
    }
}
