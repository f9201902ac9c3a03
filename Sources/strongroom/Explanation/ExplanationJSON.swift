import Foundation
import KMSCore
import KMSModel
import KMSPolicy

/// An explanation for machines. The names of the fields are in docs/configuration.md and stay.
struct ExplanationJSON: Encodable {
    private struct Reference: Encodable {
        var layer: String
        var policy: Text?
        var index: Int
        var sid: Text?

        init(_ reference: StatementReference) {
            layer = reference.layer.fieldValue
            policy = reference.policyName
            index = reference.index
            sid = reference.sid
        }
    }

    private struct StatementEntry: Encodable {
        var statement: Reference
        var effect: String
        var outcome: String
        var element: String?
        var detail: String
    }

    private struct GrantEntry: Encodable {
        var id: String
        var grantee: Text
        var covers: Bool
        var detail: String
    }

    private let allowed: Bool
    private let reason: String
    private let summary: String
    private let decidedBy: [Reference]
    private let grantId: String?
    private let principal: String
    private let action: String
    private let resource: String
    private let statements: [StatementEntry]
    private let grants: [GrantEntry]

    init(_ found: PolicyExplanation, principal: String, action: String) {
        let explanation = found.explanation
        allowed = explanation.decision.isAllowed
        summary = explanation.summary
        (reason, decidedBy, grantId) = Self.decision(explanation.decision)
        self.principal = principal
        self.action = action
        resource = found.resource
        statements = explanation.statements.map { finding in
            let (outcome, element): (String, String?) =
                switch finding.outcome {
                case .matched: ("matched", nil)
                case .cannotBeEvaluated(let element): ("cannotBeEvaluated", element.rawValue)
                case .doesNotMatch(let element): ("doesNotMatch", element.rawValue)
                }
            return StatementEntry(
                statement: Reference(finding.statement), effect: finding.effect.rawValue, outcome: outcome,
                element: element, detail: finding.detail)
        }
        grants = explanation.grants.map { grant in
            GrantEntry(id: grant.id, grantee: grant.grantee, covers: grant.covers, detail: grant.detail)
        }
    }

    func text() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    private static func decision(_ decision: Decision) -> (reason: String, [Reference], grantID: String?) {
        switch decision {
        case .allowed(.resourcePolicy(let statement)): ("keyPolicy", [Reference(statement)], nil)
        case .allowed(.identityPolicy(let identity, let enabling)):
            ("identityPolicy", [identity, enabling].compactMap { $0.map(Reference.init) }, nil)
        case .allowed(.grant(let id)): ("grant", [], id)
        case .denied(.explicit(let statement)): ("explicitDeny", [Reference(statement)], nil)
        case .denied(.noResourcePolicyAllows): ("noKeyPolicyAllows", [], nil)
        case .denied(.noIdentityPolicyAllows): ("noIdentityPolicyAllows", [], nil)
        case .denied(.noPermissionsBoundaryAllows): ("noPermissionsBoundaryAllows", [], nil)
        case .denied(.noSessionPolicyAllows): ("noSessionPolicyAllows", [], nil)
        case .denied(.notAcrossAccounts): ("notAcrossAccounts", [], nil)
        case .denied(.unreadableResourcePolicy): ("unreadableKeyPolicy", [], nil)
        }
    }
}

extension PolicyLayer {
    fileprivate var fieldValue: String {
        switch self {
        case .resourcePolicy: "keyPolicy"
        case .identityPolicy: "identityPolicy"
        case .permissionsBoundary: "permissionsBoundary"
        case .sessionPolicy: "sessionPolicy"
        }
    }
}
