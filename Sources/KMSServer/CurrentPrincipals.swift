internal import Synchronization

/// The principals that hold now. Each request takes `value` once.
public final class CurrentPrincipals: Sendable {
    private struct State {
        var value: Principals
        var observers: [@Sendable () -> Void] = []
    }

    private let state: Mutex<State>

    public init(_ principals: Principals) { state = Mutex(State(value: principals)) }

    public var value: Principals { state.withLock { $0.value } }

    /// Puts other principals in place of all that there were. When it returns, no request that comes is answered by the
    /// old ones: not their access keys, and not their policies.
    public func replace(with principals: Principals) {
        let observers = state.withLock { state in
            state.value = principals
            return state.observers
        }
        for observer in observers { observer() }
    }

    /// Runs `observer` after every replacement, before `replace` returns.
    func afterReplacement(_ observer: @escaping @Sendable () -> Void) {
        state.withLock { $0.observers.append(observer) }
    }
}
