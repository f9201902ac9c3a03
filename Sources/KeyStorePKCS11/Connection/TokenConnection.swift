internal import Cryptography
internal import Dispatch
internal import Foundation
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Synchronization

/// One login to one token, the threads that work in it, and the watch over both.
///
/// Threads: `maxSessions` workers, each with a session of its own as a local; the keeper, which owns the spare session
/// that holds the login, runs the canary and recovers; the clock, which never calls the module and therefore can
/// answer callers of calls that do not come back. This type is also the seam for running a module in a process of its
/// own: everything above it speaks in jobs and answers.
final class TokenConnection: Sendable {
    struct Login: Sendable {
        let slot: Slot
        let epoch: LoginEpoch
        let serialNumber: String
    }

    /// Why a job did not do what it was for.
    enum Fault: Error {
        case token(PKCS11Error)
        case refused(KeyStoreError)
    }

    struct State {
        var login: Login?
        var canary: Canary?
        var capabilities = TokenCapabilities()
        /// Why the token cannot be used; nil while it can.
        var sickness: String?
        /// Those who wait for the end of the first climb of the ladder; nil when no first climb is due.
        var waitingForRecovery: [PendingAnswer<Bool>]?
        var liveWorkers = 0
        var threadCount = 0
        var hasEnded = false
        var alarms: [(deadline: ContinuousClock.Instant, ring: @Sendable () -> Void)] = []
        var onEnd: [@Sendable () -> Void] = []
    }

    let configuration: TokenDeviceConfiguration
    let sealing: GCMSealing
    let handles = KeyHandles()
    let leftovers = Leftovers()
    let turns = ObjectTurns()
    /// For files that the module does not bring to the disk itself.
    let directorySync: DirectorySync?
    /// For the check of what the token signs.
    let publicKeys = BoundedCache<BackingKeyID, PublicKey>(limit: 10_000)
    /// For the workers.
    let work: WorkQueue
    /// For the keeper.
    let care: WorkQueue
    let state = Mutex(State())
    let workers = DispatchGroup()
    let canaryWaiters = Mutex<CanaryBatch?>(nil)
    private let ended = DispatchSemaphore(value: 0)
    private let report: @Sendable (TokenEvent) -> Void

    init(configuration: TokenDeviceConfiguration, report: @escaping @Sendable (TokenEvent) -> Void) {
        self.configuration = configuration
        self.report = report
        directorySync = configuration.profile.syncDirectory.map { DirectorySync(path: $0) }
        sealing = GCMSealing(ivSource: configuration.profile.gcmIV)
        let connecting = KeyStoreError(.unavailable, "the token is not connected yet")
        work = WorkQueue(limit: configuration.profile.queueLimit, refusal: connecting)
        care = WorkQueue(limit: configuration.profile.queueLimit)
    }

    // MARK: Start and end

    /// Logs in, probes and starts the threads. Bounded by the profile's time limit for connecting; what comes back
    /// later is undone.
    func start(pin: LoginPIN, refusals: any RefusedPINs) async throws(ConnectionFailure) {
        let result = await withCheckedContinuation { continuation in
            let answer = PendingAnswer<Result<Void, ConnectionFailure>>(continuation)
            setAlarm(milliseconds: configuration.profile.connectTimeoutMilliseconds) {
                answer.settle(.failure(ConnectionFailure(.networkErrors, "the token did not answer in time")))
            }
            startThread("token-clock") { [self] in watch() }
            startThread("token-keeper") { [self] in
                var keeper = Keeper(connection: self, pin: pin, refusals: refusals)
                let farewell = keeper.run(answer)
                end()
                farewell()
            }
        }
        try result.get()
    }

    /// Ends work, logs out and closes everything. Waits at most for the time limit of a call, twice.
    func stop() async {
        let stopped = KeyStoreError(.unavailable, "the token has been disconnected")
        await withCheckedContinuation { continuation in
            let answer = PendingAnswer<Void>(continuation)
            setAlarm(milliseconds: 2 * configuration.profile.callTimeoutMilliseconds) { answer.settle(()) }
            work.stop(with: stopped)
            care.stop(with: stopped)
            onEnd { answer.settle(()) }
        }
    }

    /// Whether the login is gone.
    var hasEnded: Bool { state.withLock { $0.hasEnded } }

    /// Whether the login is gone and every call into the module has come back.
    var isDeserted: Bool { hasEnded && workers.wait(timeout: .now()) == .success }

    private func onEnd(_ notify: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLock { state in
            if !state.hasEnded { state.onEnd.append(notify) }
            return state.hasEnded
        }
        if hasEnded { notify() }
    }

    /// The keeper's last act.
    private func end() {
        let gone = KeyStoreError(.unavailable, "the token has been disconnected")
        work.stop(with: gone)
        care.stop(with: gone)
        let onEnd = state.withLock { state in
            state.hasEnded = true
            state.login = nil
            defer { state.onEnd = [] }
            return state.onEnd
        }
        answerWaiting(isHealthy: false)
        for notify in onEnd { notify() }
        ended.signal()
    }

    // MARK: Clock

    func setAlarm(milliseconds: Int, _ ring: @escaping @Sendable () -> Void) {
        state.withLock { $0.alarms.append((.now + .milliseconds(milliseconds), ring)) }
    }

    /// The clock thread: answers callers whose time is over.
    private func watch() {
        // Often enough that a limit is kept to an eighth of itself.
        let tick = min(max(configuration.profile.callTimeoutMilliseconds / 8, 5), 250)
        while ended.wait(timeout: .now() + .milliseconds(tick)) == .timedOut {
            let now = ContinuousClock.now
            let givenUp = work.expire(now: now)
            if givenUp > 0 { replaceWorkers(givenUp) }
            if care.expire(now: now) > 0 { becomeSick("the token does not answer the canary") }
            let due = state.withLock { state in
                let due = state.alarms.filter { $0.deadline <= now }
                state.alarms.removeAll { $0.deadline <= now }
                return due
            }
            for alarm in due { alarm.ring() }
        }
    }

    // MARK: Health

    var health: TokenHealth {
        state.withLock { state in
            if state.hasEnded || state.login == nil && state.sickness == nil { return .notConnected }
            if let sickness = state.sickness { return .unavailable(sickness) }
            return isJammed ? .unavailable(jamReason) : .healthy
        }
    }

    /// So many calls never came back that no more threads are spent.
    var isJammed: Bool { work.stuckCount >= configuration.profile.stuckCallLimit }

    var jamReason: String { "\(work.stuckCount) calls to the token never came back" }

    /// Stops work until recovery succeeds. Only the canary, or its silence, brings this about.
    func becomeSick(_ reason: String) {
        let isNew = state.withLock { state in
            guard state.sickness == nil else { return false }
            state.sickness = reason
            state.waitingForRecovery = state.waitingForRecovery ?? []
            return true
        }
        work.refuse(with: KeyStoreError(.unavailable, reason))
        if isNew { tell(.sick, reason) }
    }

    func becomeHealthy() {
        state.withLock { $0.sickness = nil }
        openOrJam()
        answerWaiting(isHealthy: true)
    }

    /// Waits until the first climb of the ladder has ended, or until `deadline`. A lost session or login is back by
    /// then, and callers need not hear of it. A token that is away longer is not waited for.
    ///
    /// - Returns: whether the token is well.
    func comesBack(by deadline: ContinuousClock.Instant) async -> Bool {
        await withCheckedContinuation { continuation in
            let answer = PendingAnswer<Bool>(continuation)
            let known = state.withLock { state -> Bool? in
                if state.sickness == nil { return state.login != nil && !isJammed }
                // As bounded as the queue.
                guard let count = state.waitingForRecovery?.count, count < configuration.profile.queueLimit else {
                    return false
                }
                state.waitingForRecovery?.append(answer)
                state.alarms.append((deadline, { answer.settle(false) }))
                return nil
            }
            if let known { answer.settle(known) }
        }
    }

    /// The first climb has ended. Called after every climb: later ones find nobody who waits.
    func answerWaiting(isHealthy: Bool) {
        let waiting = state.withLock { state in
            defer { state.waitingForRecovery = nil }
            return state.waitingForRecovery ?? []
        }
        for answer in waiting { answer.settle(isHealthy) }
    }

    /// Takes work if nothing speaks against it.
    func openOrJam() {
        if isJammed {
            work.refuse(with: KeyStoreError(.unavailable, jamReason))
        } else if state.withLock({ $0.sickness == nil && $0.login != nil }) {
            work.accept()
        }
    }

    func tell(_ kind: TokenEvent.Kind, _ message: String) {
        report(TokenEvent(clusterID: configuration.clusterID, kind: kind, message: message))
    }

    func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = name
        thread.start()
    }
}
