internal import KeyStores
internal import PKCS11
internal import Synchronization

/// By what a key is found on its token.
enum KeyName: Hashable, Sendable, CustomStringConvertible {
    /// It was made here, or came in as an import: by its CKA_ID.
    case own(BackingKeyID)
    /// Somebody else made it.
    case adopted(TokenObjectName)

    /// Nil for a reference of another kind of store.
    init?(_ key: BackingKey) {
        guard !key.reference.isEmpty else {
            self = .own(key.id)
            return
        }
        guard let name = TokenObjectName(reference: key.reference) else { return nil }
        self = .adopted(name)
    }

    /// For a search.
    var template: [Attribute] {
        switch self {
        case .own(let id): [.id(id.bytes), .flag(.token, true)]
        case .adopted(let name): name.template
        }
    }

    var description: String {
        switch self {
        case .own(let id): "the CKA_ID \(id)"
        case .adopted(let name): name.description
        }
    }
}

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
        /// Two objects have this name: nobody knows which is meant, so neither is used.
        case ambiguous
    }

    private struct State {
        var entries: [KeyName: Entry] = [:]
        var ambiguous: Set<KeyName> = []
    }

    private let state = Mutex(State())

    func lookup(_ name: KeyName) -> Lookup {
        state.withLock { state in
            if let entry = state.entries[name] { return .found(entry) }
            return state.ambiguous.contains(name) ? .ambiguous : .missing
        }
    }

    func lookup(_ id: BackingKeyID) -> Lookup { lookup(.own(id)) }

    func insert(_ name: KeyName, _ entry: Entry) {
        state.withLock { $0.entries[name] = entry }
    }

    func insert(_ id: BackingKeyID, _ entry: Entry) { insert(.own(id), entry) }

    func remove(_ name: KeyName) {
        state.withLock { state in
            state.entries[name] = nil
            state.ambiguous.remove(name)
        }
    }

    /// Notes that the token does not know the handle that is in use for a key any more: a copy is forgotten in favour
    /// of its original, an original altogether.
    ///
    /// - Returns: true when the key is gone, false when another handle is there to be tried.
    func giveUp(_ used: Entry, of name: KeyName) -> Bool {
        state.withLock { state in
            guard state.entries[name] == used else { return false }
            guard used.copy != nil else {
                state.entries[name] = nil
                return true
            }
            state.entries[name]?.copy = nil
            return false
        }
    }

    /// Puts the result of a sweep in the place of everything known.
    ///
    /// - Parameter own: the keys by CKA_ID, with their copies; those of others are used where they are.
    func replace(with own: [BackingKeyID: Entry], _ sweep: TokenSweep) {
        var new = State()
        new.entries.reserveCapacity(own.count + sweep.names.count)
        for (id, entry) in own { new.entries[.own(id)] = entry }
        for (name, object) in sweep.names { new.entries[.adopted(name)] = Entry(object: object, copy: nil) }
        new.ambiguous = Set(sweep.ambiguous.map { .own($0) } + sweep.ambiguousNames.map { .adopted($0) })
        state.withLock { [new] in $0 = new }
    }
}
