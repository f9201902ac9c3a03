import KMSCore
import KMSModel
import KMSPolicy

/// An explanation for people: the verdict, then every layer with its statements, one line each.
struct ExplanationText {
    let lines: [String]

    init(_ found: PolicyExplanation, principal: String, action: String) {
        let explanation = found.explanation
        var lines = [
            explanation.summary.prefix(1).uppercased() + explanation.summary.dropFirst() + ".", "",
            "Principal  \(principal)", "Action     \(action)", "Resource   \(found.resource)",
        ]
        for layer in [PolicyLayer.resourcePolicy, .identityPolicy, .permissionsBoundary, .sessionPolicy] {
            let findings = explanation.statements.filter { $0.statement.layer == layer }
            guard !findings.isEmpty else {
                lines += ["", "\(layer.title): none"]
                continue
            }
            var policyName: Text??
            for finding in findings {
                if policyName != .some(finding.statement.policyName) {
                    lines += ["", layer.title + (finding.statement.policyName.map { " \($0)" } ?? "")]
                    policyName = .some(finding.statement.policyName)
                }
                lines.append(Self.line(of: finding))
            }
        }
        if explanation.grants.isEmpty {
            lines += ["", "Grants: none that could apply"]
        } else {
            lines += ["", "Grants"]
            for grant in explanation.grants {
                lines.append(
                    "  \(grant.covers ? Self.matched : Self.notMatched) grant \(grant.id) to \(grant.grantee): "
                        + grant.detail)
            }
        }
        self.lines = lines
    }

    private static let matched = "matched    "
    private static let notMatched = "not matched"
    private static let unclear = "unclear    "

    private static func line(of finding: StatementFinding) -> String {
        let mark =
            switch finding.outcome {
            case .matched: matched
            case .cannotBeEvaluated: unclear
            case .doesNotMatch: notMatched
            }
        let effect = finding.effect == .allow ? "Allow" : "Deny "
        let name = finding.statement.sid.map { " \"\($0)\"" } ?? ""
        return "  \(mark) \(effect) statement \(finding.statement.index + 1)\(name): \(finding.detail)"
    }
}

extension PolicyLayer {
    fileprivate var title: String {
        switch self {
        case .resourcePolicy: "Key policy"
        case .identityPolicy: "Identity policy"
        case .permissionsBoundary: "Permissions boundary"
        case .sessionPolicy: "Session policy"
        }
    }
}
