import Synchronization

/// What the test credentials hold, behind a lock.
final class Locked: Sendable {
    typealias Value = (secrets: [String: String], lookups: Int)

    private let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }

    func withValue<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { value.withLock { body(&$0) } }
}
