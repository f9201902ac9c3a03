internal import Foundation
internal import KeyStores
internal import PKCS11
internal import Synchronization

// The workers: threads that run jobs, each in a session of its own.

extension TokenConnection {
    /// Runs `body` on a worker, in its session, and awaits the answer: one hop between threads each way.
    ///
    /// - Parameters:
    ///   - turn: what `body` does that must not go on beside its opposite. Past its limit a call is out of the game,
    ///     whether it has come back or not.
    ///   - deadline: nil is the usual limit of a call, from now on.
    func perform<Answer: Sendable>(
        in turn: ObjectTurns.Kind? = nil, by deadline: ContinuousClock.Instant? = nil,
        _ body: @escaping @Sendable (inout Session) throws(PKCS11Error) -> Answer
    ) async -> Result<Answer, Fault> {
        if let turn {
            await turns.begin(turn) { setAlarm(milliseconds: turnLimitMilliseconds, $0) }
        }
        defer { if turn != nil { turns.end() } }
        return await submit(to: work, by: deadline) { [self] session in
            use(&session, searches: turn == .searching, body)
        }
    }

    /// How long a turn is waited for (docs/decisions/0014-searches-apart-from-making.md).
    var turnLimitMilliseconds: Int { configuration.profile.callTimeoutMilliseconds / 4 }

    /// Runs `body` on the keeper, in the spare session: what must live as long as the login is made there.
    func performInSpare<Answer: Sendable>(
        _ body: @escaping @Sendable (inout Session) throws(PKCS11Error) -> Answer
    ) async -> Result<Answer, Fault> {
        await submit(to: care) { spare in
            guard var session = spare.take() else {
                return .failure(.refused(KeyStoreError(.unavailable, "the token is being recovered")))
            }
            let answer: Result<Answer, Fault>
            do throws(PKCS11Error) {
                answer = .success(try body(&session))
            } catch {
                answer = .failure(.token(error))
            }
            // Kept whatever happened: without it the login ends.
            spare = .some(session)
            return answer
        }
    }

    private func submit<Answer: Sendable>(
        to queue: WorkQueue, by deadline: ContinuousClock.Instant? = nil,
        _ body: @escaping @Sendable (inout Session?) -> Result<Answer, Fault>
    ) async -> Result<Answer, Fault> {
        let submitted = Mutex<Job?>(nil)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let answer = PendingAnswer<Result<Answer, Fault>>(continuation)
                let job = Job(
                    deadline: deadline ?? .now + .milliseconds(configuration.profile.callTimeoutMilliseconds),
                    run: { session in answer.settle(body(&session)) },
                    refuse: { error in answer.settle(.failure(.refused(error))) })
                submitted.withLock { $0 = job }
                if let refusal = queue.submit(job) { job.refuse(refusal) }
            }
        } onCancel: {
            if let job = submitted.withLock({ $0 }) { queue.withdraw(job) }
        }
    }

    /// Runs `body` in the thread's session, opened anew where there is none of this login. A session that failed
    /// with anything but a caller's fault is closed: it may be in the middle of an operation.
    private func use<Answer>(
        _ slot: inout Session?, searches: Bool, _ body: (inout Session) throws(PKCS11Error) -> Answer
    ) -> Result<Answer, Fault> {
        guard let login = state.withLock({ $0.login }) else {
            return .failure(.refused(KeyStoreError(.unavailable, "the token is not logged in")))
        }
        do throws(PKCS11Error) {
            var session: Session
            if let open = slot.take(), open.epoch == login.epoch {
                session = open
            } else {
                session = try login.slot.openSession(epoch: login.epoch)
                // The module may have been restarted while the session was being opened: its login is another one
                // then, and a handle of before could name another key. From here on the open session prevents it.
                guard state.withLock({ $0.login?.epoch }) == login.epoch else {
                    return .failure(.refused(KeyStoreError(.unavailable, "the token is being recovered")))
                }
            }
            do throws(PKCS11Error) {
                let answer = try body(&session)
                // Recovery logs out, and a session that is open then is logged in again by the next login. In between a
                // search finds nothing, and nothing must be concluded from that.
                guard !searches || state.withLock({ $0.login?.epoch }) == login.epoch else {
                    throw PKCS11Error(.findObjects, .userNotLoggedIn)
                }
                slot = .some(session)
                return .success(answer)
            } catch {
                if error.leavesSessionUsable { slot = .some(session) }
                throw error
            }
        } catch {
            return .failure(.token(error))
        }
    }

    // MARK: Threads

    func startWorkers() {
        for _ in 0..<sessionLimit { startWorker() }
    }

    /// The lower of what is configured and what the token has, one kept for the spare and one for the canary.
    private var sessionLimit: Int {
        let configured = configuration.profile.maxSessions
        let token = state.withLock { $0.login }.flatMap { try? $0.slot.tokenInfo() }
        guard let maximum = token?.maximumSessions else { return configured }
        return max(1, min(configured, maximum - 2))
    }

    private func startWorker() {
        let number = state.withLock { state in
            state.liveWorkers += 1
            state.threadCount += 1
            return state.threadCount
        }
        workers.enter()
        startThread("token-worker-\(number)") { [self] in
            serve(WorkQueue.Thread(number: number))
            workers.leave()
        }
    }

    private func serve(_ thread: WorkQueue.Thread) {
        var session: Session?
        var seenOrders = 0
        while true {
            switch work.next(thread, seenOrders: &seenOrders) {
            case .job(let job):
                job.run(&session)
                if !work.finished(thread) {
                    // Given up while it was away; what its session is worth by now nobody knows.
                    session = nil
                    guard rejoin() else { return }
                }
            case .closeSession, .nothing:
                session = nil
            case .stop:
                return
            }
        }
    }

    /// The clock has given up threads: others take their place, up to a limit.
    func replaceWorkers(_ count: Int) {
        state.withLock { $0.liveWorkers -= count }
        tell(.stuckCall, jamReason)
        if isJammed {
            openOrJam()
        } else {
            for _ in 0..<count { startWorker() }
        }
    }

    /// A thread that had been given up is back: it goes on if it has not been replaced.
    private func rejoin() -> Bool {
        let isWanted = state.withLock { state in
            guard state.liveWorkers < configuration.profile.maxSessions else { return false }
            state.liveWorkers += 1
            return true
        }
        openOrJam()
        return isWanted
    }
}
