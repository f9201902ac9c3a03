import KMSModel
import KMSPolicy

/// What authorization knows of an operation: its action, how grants name it, and for whom it works.
///
/// Sources: KMS Developer Guide, "AWS KMS permissions" (the table of actions and resources) and "Grants in AWS KMS".
struct KeyAction: Sendable {
    let action: Action
    /// Nil when no grant can convey the operation.
    let grantOperation: GrantOperation?
    /// Permissions for other operations are without effect when they are given to other accounts
    /// (KMS Developer Guide, "Allowing users in other accounts to use a KMS key").
    let mayCrossAccounts: Bool

    private init(_ name: String, _ grantOperation: GrantOperation? = nil, mayCrossAccounts: Bool = false) {
        action = Action(Text("kms:\(name)"))
        self.grantOperation = grantOperation
        self.mayCrossAccounts = mayCrossAccounts || grantOperation != nil
    }

    static let reEncryptFrom = KeyAction("ReEncryptFrom", .reEncryptFrom)
    static let reEncryptTo = KeyAction("ReEncryptTo", .reEncryptTo)

    /// The action of an operation that has one.
    static func of(_ operation: KMSOperation) -> KeyAction {
        all[operation] ?? KeyAction(operation.rawValue)
    }

    private static let alsoAcrossAccounts: Set<KMSOperation> = [.getKeyRotationStatus, .listGrants, .revokeGrant]

    private static let all: [KMSOperation: KeyAction] = Dictionary(
        uniqueKeysWithValues: KMSOperation.allCases.map { operation in
            (
                operation,
                KeyAction(
                    operation.rawValue, GrantOperation(rawValue: operation.rawValue),
                    mayCrossAccounts: alsoAcrossAccounts.contains(operation))
            )
        })
}
