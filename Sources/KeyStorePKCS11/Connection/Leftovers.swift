package import KeyStores
internal import Synchronization

/// Under which identities a token may hold objects that no handle is kept of: what a call that failed has left, and
/// public keys that somebody has put beside ours.
///
/// Only they are searched for. A search takes some tokens a second with 20,000 objects, and most of what a fault
/// interrupts never was on the token. What is not here was not there when the login's sweep saw every object, and
/// nobody has tried to make it since.
package final class Leftovers: Sendable {
    private struct State {
        /// Nil: nobody knows, so that there may be some under every identity.
        var ids: Set<BackingKeyID>?
        /// What calls are making now. Threads that were given up are among them: theirs may come back after a new
        /// login.
        var inTheMaking: Set<BackingKeyID> = []
    }

    private let state = Mutex(State())

    package init() {}

    package func mayExist(_ id: BackingKeyID) -> Bool {
        state.withLock { $0.inTheMaking.contains(id) || $0.ids?.contains(id) ?? true }
    }

    package func isInTheMaking(_ id: BackingKeyID) -> Bool {
        state.withLock { $0.inTheMaking.contains(id) }
    }

    package func insert(_ id: BackingKeyID) {
        state.withLock { _ = $0.ids?.insert(id) }
    }

    /// Nothing is left, not on the disk either.
    package func remove(_ id: BackingKeyID) {
        state.withLock { _ = $0.ids?.remove(id) }
    }

    /// Called on the token's thread, which makes objects under `id`. What it has made is a leftover until it is on the
    /// disk and somebody keeps its handle.
    ///
    /// - Parameter leavesNothing: whether an answer means that nothing was made. What throws may have left something.
    package func whileMaking<Answer, Failure: Error>(
        _ id: BackingKeyID, leavesNothing: (Answer) -> Bool = { _ in false }, _ make: () throws(Failure) -> Answer
    ) throws(Failure) -> Answer {
        let isNew = state.withLock { state in
            state.inTheMaking.insert(id)
            return state.ids?.insert(id).inserted ?? false
        }
        defer { state.withLock { _ = $0.inTheMaking.remove(id) } }
        let answer = try make()
        if isNew, leavesNothing(answer) { remove(id) }
        return answer
    }

    // MARK: The sweep of a login

    /// To be asked before a sweep begins: what the sweep will have seen if it is there.
    package var settled: Set<BackingKeyID> {
        state.withLock { state in state.ids?.subtracting(state.inTheMaking) ?? [] }
    }

    /// - Parameters:
    ///   - found: what a sweep has found; nil if it could not see everything.
    ///   - settled: what was settled before the sweep began.
    package func replace(_ settled: Set<BackingKeyID>, with found: Set<BackingKeyID>?) {
        state.withLock { state in
            state.ids = found?.union(state.ids?.subtracting(settled) ?? state.inTheMaking)
        }
    }
}
