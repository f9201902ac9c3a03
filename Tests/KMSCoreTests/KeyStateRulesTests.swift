import KMSCore
import KMSModel
import Testing

/// The table of the KMS Developer Guide, "Key states of AWS KMS keys", cell by cell.
struct KeyStateRulesTests {
    enum Answer: Sendable {
        case ok
        case disabled
        case state(String)
    }

    private static let states: [KeyState] = [
        .enabled, .disabled, .pendingDeletion, .pendingReplicaDeletion, .pendingImport, .unavailable, .creating,
        .updating,
    ]

    private static let pending = Answer.state("is pending deletion")
    private static let pendingReplica = Answer.state("is pending replica deletion")
    private static let notPending = Answer.state("is not pending deletion (or pending replica deletion)")
    private static let imports = Answer.state("is pending import")
    private static let creating = Answer.state("is creating")
    private static let updating = Answer.state("is updating")

    private static let table: [(KeyStateRules.Group, [Answer])] = [
        (
            .cryptographic,
            [.ok, .disabled, pending, pendingReplica, imports, .state("is unavailable"), creating, .ok]
        ),
        (.change, [.ok, .ok, pending, pendingReplica, .ok, .ok, .ok, .ok]),
        (.enableOrDisable, [.ok, .ok, pending, pendingReplica, imports, .ok, creating, updating]),
        (.scheduleDeletion, [.ok, .ok, pending, pendingReplica, .ok, .ok, .ok, updating]),
        (
            .cancelDeletion,
            [notPending, notPending, .ok, .ok, notPending, notPending, notPending, notPending]
        ),
        (
            .rotate,
            [.ok, .disabled, pending, pendingReplica, imports, .state("is unavailable"), creating, updating]
        ),
        (
            .getImportParameters,
            [.ok, .ok, pending, pendingReplica, .ok, .state("is unavailable"), creating, updating]
        ),
        (.importMaterial, [.ok, .ok, pending, pendingReplica, .ok, .state("is unavailable"), creating, .ok]),
        (.deleteImportedMaterial, [.ok, .ok, .ok, .ok, .ok, .ok, creating, updating]),
        (.always, Array(repeating: .ok, count: 8)),
    ]

    @Test(arguments: table.indices)
    func `Every cell of the table`(row: Int) {
        let (group, answers) = Self.table[row]
        for (state, expected) in zip(Self.states, answers) {
            let error = Self.answer(group, state)
            switch expected {
            case .ok: #expect(error == nil, "\(group) in \(state)")
            case .disabled: #expect(error == KMSError(.disabled, "ARN is disabled."), "\(group) in \(state)")
            case .state(let text):
                #expect(error == KMSError(.kmsInvalidState, "ARN \(text)."), "\(group) in \(state)")
            }
        }
    }

    private static func answer(_ group: KeyStateRules.Group, _ state: KeyState) -> KMSError? {
        do {
            try KeyStateRules.check(group, state, of: "ARN")
            return nil
        } catch {
            return error
        }
    }
}
