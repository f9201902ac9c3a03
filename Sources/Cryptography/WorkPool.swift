internal import Dispatch
internal import Synchronization

/// A few threads for work that takes long enough to hurt Swift's cooperative pool or an event loop: RSA, slow curves,
/// key generation.
///
/// At most `width` pieces run at once and at most `queueLimit` wait, in order. What has waited longer than the limit
/// is turned away instead of being run: its caller has given up.
public final class WorkPool: Sendable {
    /// Why a piece of work was not run.
    public enum Refusal: Error, Equatable, Sendable {
        /// Too much waits already.
        case full
        /// It waited too long.
        case waitedTooLong
    }

    private struct Piece: Sendable {
        let since: ContinuousClock.Instant
        /// Runs the work, or with true turns it away, and gives back what tells the caller.
        let run: @Sendable (_ tooLate: Bool) -> @Sendable () -> Void
    }

    private struct State {
        var running = 0
        // Two stacks make a queue with constant cost.
        var arriving: [Piece] = []
        var leaving: [Piece] = []

        var waiting: Int { arriving.count + leaving.count }

        mutating func next() -> Piece? {
            if leaving.isEmpty {
                leaving = arriving.reversed()
                arriving = []
            }
            return leaving.popLast()
        }
    }

    private let state = Mutex(State())
    private let queue: DispatchQueue
    private let width: Int
    private let queueLimit: Int
    private let waitLimit: Duration

    /// - Parameters:
    ///   - name: for people who look at threads.
    ///   - width: how much runs at once; at least one.
    ///   - queueLimit: how much may wait.
    ///   - waitLimit: how long it may wait.
    public init(name: String, width: Int, queueLimit: Int, waitLimit: Duration) {
        queue = DispatchQueue(label: name, attributes: .concurrent)
        self.width = max(width, 1)
        self.queueLimit = max(queueLimit, 0)
        self.waitLimit = waitLimit
    }

    /// Runs `work` on a thread of the pool and waits for it without holding a thread.
    ///
    /// Cancelling the task does not stop work that runs; every wait here is short and bounded.
    public func run<Output: Sendable, Failure: Error>(
        _ work: @escaping @Sendable () -> Result<Output, Failure>
    ) async throws(Refusal) -> Result<Output, Failure> {
        let outcome: Result<Result<Output, Failure>, Refusal> = await withCheckedContinuation { continuation in
            let piece = Piece(since: .now) { tooLate in
                let outcome: Result<Result<Output, Failure>, Refusal> =
                    tooLate ? .failure(.waitedTooLong) : .success(work())
                return { continuation.resume(returning: outcome) }
            }
            let (starts, refused) = state.withLock { state in
                if state.running < width {
                    state.running += 1
                    return (true, false)
                }
                guard state.waiting < queueLimit else { return (false, true) }
                state.arriving.append(piece)
                return (false, false)
            }
            if refused { continuation.resume(returning: .failure(.full)) }
            if starts { queue.async { self.drain(from: piece) } }
        }
        return try outcome.get()
    }

    /// How much waits at the moment.
    package var waitingCount: Int { state.withLock { $0.waiting } }

    private func drain(from first: Piece) {
        var piece: Piece? = first
        while let current = piece {
            let tell = current.run(current.since.duration(to: .now) > waitLimit)
            piece = state.withLock { state in
                let next = state.next()
                if next == nil { state.running -= 1 }
                return next
            }
            // Only now, so that a caller that comes back at once finds the place free.
            tell()
        }
    }
}
