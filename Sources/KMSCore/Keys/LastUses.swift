import KMSModel
import Synchronization

/// The uses of keys that are not in the metadata yet: a request notes its use here, and does not wait for the disk.
final class LastUses: Sendable {
    private struct Key: Hashable {
        let scope: Scope
        let id: String
    }

    /// The last use of each key.
    private let uses = Mutex<[Key: KeyLastUse]>([:])

    func note(_ use: KeyLastUse) {
        uses.withLock { $0[Key(scope: use.scope, id: use.keyID)] = use }
    }

    func use(of key: KMSKey) -> KeyLastUse? { uses.withLock { $0[Key(scope: key.scope, id: key.id)] } }

    var all: [KeyLastUse] { uses.withLock { Array($0.values) } }

    /// Forgets what is in the metadata now, but not what was noted since.
    func forget(_ stored: [KeyLastUse]) {
        uses.withLock { uses in
            for use in stored {
                let key = Key(scope: use.scope, id: use.keyID)
                if uses[key] == use { uses[key] = nil }
            }
        }
    }
}
