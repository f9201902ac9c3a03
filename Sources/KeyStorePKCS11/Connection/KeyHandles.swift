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
        /// Its copy in session memory, made at the first use where the profile asks for copies.
        var copy: ObjectHandle?
        /// Worked with where it is until the next login: there can be no copy, or shall be none.
        var staysInPlace = false

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
        var copyCount = 0
        var isCopying = false
        /// What came since a sweep began, which may not have seen it; nil while there is none.
        var sinceSweep: [KeyName: Entry]?

        /// Has the key worked with where it is from now on.
        mutating func keepInPlace(_ name: KeyName) -> ObjectHandle? {
            guard let copy = entries[name]?.copy else {
                entries[name]?.staysInPlace = true
                return nil
            }
            copyCount -= 1
            entries[name]?.copy = nil
            entries[name]?.staysInPlace = true
            return copy
        }
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
        state.withLock { state in
            state.entries[name] = entry
            state.sinceSweep?[name] = entry
        }
    }

    func insert(_ id: BackingKeyID, _ entry: Entry) { insert(.own(id), entry) }

    func remove(_ name: KeyName) {
        state.withLock { state in
            if state.entries.removeValue(forKey: name)?.copy != nil { state.copyCount -= 1 }
            state.ambiguous.remove(name)
            state.sinceSweep?[name] = nil
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
            _ = state.keepInPlace(name)
            return false
        }
    }

    /// A sweep begins. A call that was under way when the token was missed may still make a key, and be answered.
    func beginSweep() {
        state.withLock { $0.sinceSweep = [:] }
    }

    /// Puts the result of a sweep in the place of everything known before it. Copies went with the login that they were
    /// made in.
    func replace(with sweep: TokenSweep) {
        var new = State()
        new.entries.reserveCapacity(sweep.keys.count + sweep.names.count)
        for (id, object) in sweep.keys { new.entries[.own(id)] = Entry(object: object, copy: nil) }
        for (name, object) in sweep.names { new.entries[.adopted(name)] = Entry(adopted: object) }
        new.ambiguous = Set(sweep.ambiguous.map { .own($0) } + sweep.ambiguousNames.map { .adopted($0) })
        state.withLock { [new] state in
            let before = state
            state = new
            state.isCopying = before.isCopying
            for (name, entry) in before.sinceSweep ?? [:]
            where state.entries[name] == nil && !state.ambiguous.contains(name) { state.entries[name] = entry }
        }
    }
}

extension KeyHandles.Entry {
    /// Of somebody else's object, which is used where it is: its owner may destroy it.
    init(adopted object: ObjectHandle) {
        self.init(object: object, copy: nil, staysInPlace: true)
    }
}

// MARK: Copies

extension KeyHandles {
    /// Whether the caller is to copy a key now, and to call `endCopying` after that. One copy is made at a time:
    /// whoever comes meanwhile works with the original, so that a thousand first uses at once wait for nothing.
    func beginCopying(limit: Int) -> Bool {
        state.withLock { state in
            guard !state.isCopying, state.copyCount < limit else { return false }
            state.isCopying = true
            return true
        }
    }

    func endCopying() {
        state.withLock { $0.isCopying = false }
    }

    /// Puts a copy beside its original. False when the original is not the key's any more, or needs no copy now.
    func keep(_ copy: ObjectHandle, of object: ObjectHandle, _ name: KeyName) -> Bool {
        state.withLock { state in
            guard let entry = state.entries[name], entry.object == object, entry.copy == nil, !entry.staysInPlace else {
                return false
            }
            state.entries[name]?.copy = copy
            state.copyCount += 1
            return true
        }
    }

    /// Has the key worked with where it is until the next login. `object`: only if this is the original still.
    ///
    /// - Returns: the copy that nobody uses any more.
    func keepInPlace(_ name: KeyName, _ object: ObjectHandle? = nil) -> ObjectHandle? {
        state.withLock { state in
            if let object, state.entries[name]?.object != object { return nil }
            return state.keepInPlace(name)
        }
    }
}
