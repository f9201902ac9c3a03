internal import KeyStores
internal import PKCS11
internal import Synchronization

/// Those who wait for one run of the canary. A run answers all who came before it began.
final class CanaryBatch: Sendable {
    private let waiting = Mutex<[CheckedContinuation<Bool, Never>]>([])

    func add(_ continuation: CheckedContinuation<Bool, Never>) {
        waiting.withLock { $0.append(continuation) }
    }

    /// Answers everybody once; a second answer finds nobody.
    func settle(_ isHealthy: Bool) {
        let waiting = waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: isHealthy) }
    }
}

extension TokenConnection {
    /// Asks the canary whether the token is well. At most one runs at a time, and all who ask before it begins share
    /// its answer, so that a client that sends junk costs one run for many requests and never the store's health.
    func isHealthy() async -> Bool {
        await withCheckedContinuation { continuation in
            let (batch, isNew) = canaryWaiters.withLock { current in
                let batch = current ?? CanaryBatch()
                batch.add(continuation)
                defer { current = batch }
                return (batch, current == nil)
            }
            if isNew { scheduleCanary(for: batch) }
        }
    }

    private func scheduleCanary(for batch: CanaryBatch) {
        let job = Job(
            deadline: .now + .milliseconds(configuration.profile.callTimeoutMilliseconds),
            run: { [self] _ in
                // Whoever comes from here on waits for the next run: this one may tell of a moment before theirs.
                canaryWaiters.withLock { $0 = nil }
                batch.settle(checkCanary())
            },
            refuse: { [self] _ in
                canaryWaiters.withLock { current in
                    if current === batch { current = nil }
                }
                batch.settle(false)
            })
        if let refusal = care.submit(job) { job.refuse(refusal) }
    }

    /// Runs the canary in a session of its own, and takes the store out of work if it fails. On the keeper only.
    func checkCanary() -> Bool {
        let (login, canary, sickness) = state.withLock { ($0.login, $0.canary, $0.sickness) }
        guard let login, sickness == nil else { return false }
        let failure = Self.failure(of: canary, in: login, sealing: sealing)
        if let failure { becomeSick(failure) }
        return failure == nil
    }

    /// Nil when the token is well, else what is wrong.
    static func failure(of canary: Canary?, in login: Login, sealing: GCMSealing) -> String? {
        do throws(PKCS11Error) {
            guard let canary else {
                // A device on which no canary could be made: the next best that notices a vanished token.
                _ = try login.slot.tokenInfo()
                return nil
            }
            var session = try login.slot.openSession(epoch: login.epoch)
            return try canary.sings(sealing: sealing, in: &session) ? nil : "the canary's answers have changed"
        } catch {
            return "the canary failed: \(error)"
        }
    }
}
