package import Dispatch
package import KeyStores
package import PKCS11
internal import Synchronization

/// One piece of work for a token's thread. Its caller is answered exactly once, whoever comes first.
package final class Job: Sendable {
    package let deadline: ContinuousClock.Instant
    /// Does the work in the thread's session (nil: none is open) and answers the caller.
    package let run: @Sendable (inout Session?) -> Void
    /// Answers the caller with an error instead.
    package let refuse: @Sendable (KeyStoreError) -> Void

    package init(
        deadline: ContinuousClock.Instant, run: @escaping @Sendable (inout Session?) -> Void,
        refuse: @escaping @Sendable (KeyStoreError) -> Void
    ) {
        self.deadline = deadline
        self.run = run
        self.refuse = refuse
    }
}

/// The bounded queue between callers, who await, and the token's own threads, which block.
///
/// Jobs run in order of arrival. Each has its own time limit.
package final class WorkQueue: Sendable {
    package enum Step: Sendable {
        case job(Job)
        /// The login has changed or is about to: close the session.
        case closeSession
        case stop
        /// Nothing came within the time asked for.
        case nothing
    }

    private struct State {
        var waiting: Ring
        var running: [Int: Job] = [:]
        /// Threads whose job is past its limit: the caller has been answered, the thread has not come back.
        var stuck: Set<Int> = []
        /// What to answer instead of taking work; nil while the store is healthy.
        var refusal: KeyStoreError?
        var isStopped = false
        /// Counted up to make every thread close its session once.
        var closeOrders = 0
        /// Threads that wait for work, the most recent last.
        var idle: [Thread] = []
    }

    /// A thread that takes jobs from the queue; made and used by that thread.
    package final class Thread: Sendable {
        package let number: Int
        /// Signalled once each time the thread is taken from `idle`.
        let wake = DispatchSemaphore(value: 0)

        package init(number: Int) {
            self.number = number
        }
    }

    private let state: Mutex<State>

    package init(limit: Int, refusal: KeyStoreError? = nil) {
        state = Mutex(State(waiting: Ring(capacity: limit), refusal: refusal))
    }

    /// Takes the job, or tells why not; the job's caller is then still to be answered.
    package func submit(_ job: Job) -> KeyStoreError? {
        let (refusal, thread) = state.withLock { state -> (KeyStoreError?, Thread?) in
            if let refusal = state.refusal { return (refusal, nil) }
            guard state.waiting.append(job) else {
                return (KeyStoreError(.overloaded, "\(state.waiting.count) requests wait for the token already"), nil)
            }
            return (nil, state.idle.popLast())
        }
        thread?.wake.signal()
        return refusal
    }

    /// Takes back a job that nobody wants any more. One that runs already runs to its end: nobody knows how far the
    /// token is with it.
    package func withdraw(_ job: Job) {
        let isWaiting = state.withLock { $0.waiting.remove(job) }
        if isWaiting { job.refuse(KeyStoreError(.unavailable, "the caller has gone")) }
    }

    /// Waits for something to do. `seenOrders` is the thread's own note of the orders that it has followed.
    package func next(_ thread: Thread, seenOrders: inout Int, until deadline: DispatchTime = .distantFuture) -> Step {
        while true {
            let step = state.withLock { state -> Step? in
                if state.isStopped { return .stop }
                if seenOrders != state.closeOrders {
                    seenOrders = state.closeOrders
                    return .closeSession
                }
                guard let job = state.waiting.popFirst() else {
                    state.idle.append(thread)
                    return nil
                }
                state.running[thread.number] = job
                return .job(job)
            }
            if let step { return step }
            if thread.wake.wait(timeout: deadline) == .timedOut {
                let wasIdle = state.withLock { state in
                    guard let index = state.idle.firstIndex(where: { $0 === thread }) else { return false }
                    state.idle.remove(at: index)
                    return true
                }
                if wasIdle { return .nothing }
                // Taken from the list in the same moment: the signal is here or about to be.
                thread.wake.wait()
            }
        }
    }

    /// Notes that the thread's job is done. False when the thread had been given up meanwhile.
    package func finished(_ thread: Thread) -> Bool {
        state.withLock { state in
            state.running[thread.number] = nil
            return state.stuck.remove(thread.number) == nil
        }
    }

    /// The number of threads that have not come back in time.
    package var stuckCount: Int { state.withLock { $0.stuck.count } }

    /// Refuses what waits past its limit and gives up the threads that are still busy with a job past its limit.
    ///
    /// - Returns: how many threads were given up now.
    package func expire(now: ContinuousClock.Instant) -> Int {
        var expired: [Job] = []
        let givenUp = state.withLock { state in
            expired = state.waiting.removeExpired(now)
            var givenUp = 0
            for (thread, job) in state.running where job.deadline <= now && !state.stuck.contains(thread) {
                state.stuck.insert(thread)
                givenUp += 1
                expired.append(job)
            }
            return givenUp
        }
        for job in expired { job.refuse(KeyStoreError(.timedOut, "the token did not answer in time")) }
        return givenUp
    }

    /// Stops taking work, refuses what waits, and makes every thread close its session.
    package func refuse(with error: KeyStoreError) {
        halt(with: error, forever: false)
    }

    /// Takes work again.
    package func accept() {
        state.withLock { state in
            if !state.isStopped { state.refusal = nil }
        }
    }

    /// Ends every thread, and refuses all work from now on.
    package func stop(with error: KeyStoreError) {
        halt(with: error, forever: true)
    }

    private func halt(with error: KeyStoreError, forever: Bool) {
        let (refused, idle) = state.withLock { state in
            if forever { state.isStopped = true }
            state.refusal = error
            state.closeOrders += 1
            defer { state.idle = [] }
            return (state.waiting.removeAll(), state.idle)
        }
        for thread in idle { thread.wake.signal() }
        for job in refused { job.refuse(error) }
    }
}

/// A first-in first-out buffer of fixed capacity.
private struct Ring {
    private var jobs: [Job?]
    private var head = 0
    private(set) var count = 0

    init(capacity: Int) {
        jobs = Array(repeating: nil, count: capacity)
    }

    /// False when the buffer is full.
    mutating func append(_ job: Job) -> Bool {
        guard count < jobs.count else { return false }
        jobs[(head + count) % jobs.count] = job
        count += 1
        return true
    }

    mutating func popFirst() -> Job? {
        guard count > 0 else { return nil }
        defer {
            jobs[head] = nil
            head = (head + 1) % jobs.count
            count -= 1
        }
        return jobs[head]
    }

    /// Takes out what is past its limit; the others keep their order.
    mutating func removeExpired(_ now: ContinuousClock.Instant) -> [Job] {
        guard (0..<count).contains(where: { (jobs[(head + $0) % jobs.count]?.deadline ?? now) <= now }) else {
            return []
        }
        var expired: [Job] = []
        for job in removeAll() {
            if job.deadline <= now { expired.append(job) } else { _ = append(job) }
        }
        return expired
    }

    /// False when the job is not there. The others keep their order.
    mutating func remove(_ job: Job) -> Bool {
        let all = removeAll()
        for other in all where other !== job { _ = append(other) }
        return count < all.count
    }

    mutating func removeAll() -> [Job] {
        var removed: [Job] = []
        while let job = popFirst() { removed.append(job) }
        return removed
    }
}
