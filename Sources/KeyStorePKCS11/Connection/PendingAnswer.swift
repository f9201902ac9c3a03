internal import Synchronization

/// A caller that awaits an answer which may come from several sides: the first one counts, the others are dropped.
final class PendingAnswer<Answer: Sendable>: Sendable {
    private let continuation: Mutex<CheckedContinuation<Answer, Never>?>

    init(_ continuation: CheckedContinuation<Answer, Never>) {
        self.continuation = Mutex(continuation)
    }

    /// False when the caller had been answered before.
    @discardableResult
    func settle(_ answer: Answer) -> Bool {
        let first = continuation.withLock { continuation -> CheckedContinuation<Answer, Never>? in
            defer { continuation = nil }
            return continuation
        }
        first?.resume(returning: answer)
        return first != nil
    }
}
