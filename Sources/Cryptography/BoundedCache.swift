internal import Synchronization

/// A thread-safe cache with a fixed number of places, for secrets that are dear to derive.
///
/// Evicts by the clock algorithm: every hit marks its place; the hand passes marked places once and takes the first
/// unmarked one. An evicted value is dropped, and a `SecretBytes` whose last reference goes is wiped.
///
/// A value that is being derived while its source is revoked must not slip in after the revocation: take
/// `generation` before you look at the source and give it to `insert`, which then refuses.
package final class BoundedCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Place {
        let key: Key
        let value: Value
        var wasUsed: Bool
    }

    private struct State {
        var places: [Place?] = []
        var index: [Key: Int] = [:]
        var free: [Int] = []
        var hand = 0
        var generation: UInt64 = 0
    }

    private let state = Mutex(State())
    private let limit: Int

    /// A cache for `limit` values; at least one.
    package init(limit: Int) {
        self.limit = max(limit, 1)
    }

    package var count: Int { state.withLock { $0.index.count } }

    /// Changes with every removal.
    package var generation: UInt64 { state.withLock { $0.generation } }

    package func value(for key: Key) -> Value? {
        state.withLock { state in
            guard let place = state.index[key] else { return nil }
            state.places[place]?.wasUsed = true
            return state.places[place]?.value
        }
    }

    /// Keeps `value`, unless something was removed since `generation` was read. A value whose source cannot be revoked
    /// needs no generation.
    package func insert(_ value: Value, for key: Key, ifStill generation: UInt64? = nil) {
        // The displaced value leaves the lock before it is released: wiping takes time.
        let displaced: Place? = state.withLock { state in
            guard generation == nil || state.generation == generation else { return nil }
            let entry = Place(key: key, value: value, wasUsed: false)
            if let place = state.index[key] {
                let old = state.places[place]
                state.places[place] = entry
                return old
            }
            if let place = state.free.popLast() {
                state.places[place] = entry
                state.index[key] = place
                return nil
            }
            if state.places.count < limit {
                state.index[key] = state.places.count
                state.places.append(entry)
                return nil
            }
            while state.places[state.hand]?.wasUsed == true {
                state.places[state.hand]?.wasUsed = false
                state.hand = (state.hand + 1) % limit
            }
            let old = state.places[state.hand]
            if let old { state.index[old.key] = nil }
            state.places[state.hand] = entry
            state.index[key] = state.hand
            state.hand = (state.hand + 1) % limit
            return old
        }
        withExtendedLifetime(displaced) {}
    }

    package func remove(_ key: Key) {
        let removed: Place? = state.withLock { state in
            state.generation &+= 1
            guard let place = state.index.removeValue(forKey: key) else { return nil }
            let old = state.places[place]
            state.places[place] = nil
            state.free.append(place)
            return old
        }
        withExtendedLifetime(removed) {}
    }

    package func removeAll() {
        let removed = state.withLock { state in
            let old = state.places
            state = State(generation: state.generation &+ 1)
            return old
        }
        withExtendedLifetime(removed) {}
    }
}
