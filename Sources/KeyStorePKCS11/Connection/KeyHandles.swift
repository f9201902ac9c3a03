internal import KeyStores
internal import PKCS11
internal import Synchronization

/// Where the keys of a token are: found by one sweep at connect, then kept, so that no request searches.
final class KeyHandles: Sendable {
    struct Entry: Sendable, Equatable {
        /// The object on the token.
        let object: ObjectHandle
        /// Its copy in session memory, where the profile asks for copies.
        var copy: ObjectHandle?

        /// What to work with.
        var inUse: ObjectHandle { copy ?? object }
    }

    enum Lookup: Sendable {
        case found(Entry)
        case missing
        /// Two objects have this CKA_ID: nobody knows which is meant, so neither is used.
        case ambiguous
    }

    private struct State {
        var entries: [BackingKeyID: Entry] = [:]
        var ambiguous: Set<BackingKeyID> = []
    }

    private let state = Mutex(State())

    func lookup(_ id: BackingKeyID) -> Lookup {
        state.withLock { state in
            if let entry = state.entries[id] { return .found(entry) }
            return state.ambiguous.contains(id) ? .ambiguous : .missing
        }
    }

    func insert(_ id: BackingKeyID, _ entry: Entry) {
        state.withLock { $0.entries[id] = entry }
    }

    func remove(_ id: BackingKeyID) {
        state.withLock { state in
            state.entries[id] = nil
            state.ambiguous.remove(id)
        }
    }

    /// Notes that the token does not know the handle that is in use for a key any more: a copy is forgotten in favour
    /// of its original, an original altogether.
    ///
    /// - Returns: true when the key is gone, false when another handle is there to be tried.
    func giveUp(_ used: Entry, of id: BackingKeyID) -> Bool {
        state.withLock { state in
            guard state.entries[id] == used else { return false }
            guard used.copy != nil else {
                state.entries[id] = nil
                return true
            }
            state.entries[id]?.copy = nil
            return false
        }
    }

    /// Puts the result of a sweep in the place of everything known.
    func replace(with entries: [BackingKeyID: Entry], ambiguous: Set<BackingKeyID>) {
        state.withLock { $0 = State(entries: entries, ambiguous: ambiguous) }
    }
}
