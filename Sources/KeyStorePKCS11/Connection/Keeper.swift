internal import Dispatch
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Synchronization

/// The keeper thread's own state: it logs in, holds the spare session that keeps the login alive (modules log out
/// when the last session closes), and climbs the ladder of recovery.
struct Keeper: ~Copyable {
    let connection: TokenConnection
    /// Kept while the store is connected: recovery logs in with the PIN that was accepted.
    let pin: SecretBytes
    let refusals: any RefusedPINs
    var spare: Session?
    /// Of the token that was connected: another one behind the same label is not ours.
    var serialNumber: String?

    private static let longestPauseMilliseconds = 30_000

    var configuration: TokenDeviceConfiguration { connection.configuration }

    init(connection: TokenConnection, pin: SecretBytes, refusals: any RefusedPINs) {
        self.connection = connection
        self.pin = pin
        self.refusals = refusals
    }

    /// The whole life of the thread.
    ///
    /// - Returns: what is still to be done when the connection has ended: to tell whoever waits that it failed. A
    ///   caller that tries again at once finds nothing left of this attempt.
    mutating func run(_ answer: PendingAnswer<Result<Void, ConnectionFailure>>) -> @Sendable () -> Void {
        do throws(LoginFailure) {
            try establish()
        } catch {
            leaveToken()
            let failure = error.failure
            guard error.refusesPIN else { return { answer.settle(.failure(failure)) } }
            // Also when nobody waits any more: what matters is that it is remembered.
            return rememberingRefusal { answer.settle(.failure(failure)) }
        }
        connection.startWorkers()
        connection.becomeHealthy()
        if answer.settle(.success(())) {
            connection.tell(.connected, "logged in to the token \(configuration.token)")
            keep()
            connection.tell(.disconnected, "logged out")
        } else {
            connection.work.stop(with: KeyStoreError(.unavailable, "the token answered too late"))
        }
        // Sessions of workers that are still inside a call after this are lost with them.
        _ = connection.workers.wait(timeout: .now() + .milliseconds(configuration.profile.callTimeoutMilliseconds))
        leaveToken()
        return {}
    }

    /// Serves requests, runs the canary from time to time, and recovers, until told to stop.
    private mutating func keep() {
        let thread = WorkQueue.Thread(number: 0)
        var seenOrders = 0
        var pause = configuration.profile.recoveryDelayMilliseconds
        var due = DispatchTime.now() + .milliseconds(configuration.profile.canaryIntervalMilliseconds)
        var wasSick = false
        while true {
            switch connection.care.next(thread, seenOrders: &seenOrders, until: due) {
            case .job(let job):
                job.run(&spare)
                _ = connection.care.finished(thread)
            case .closeSession:
                continue
            case .stop:
                return
            case .nothing:
                if wasSick {
                    if recover() {
                        pause = configuration.profile.recoveryDelayMilliseconds
                    } else {
                        pause = min(pause * 2, Self.longestPauseMilliseconds)
                    }
                    due = .now() + .milliseconds(pause)
                } else {
                    _ = connection.checkCanary()
                }
            }
            let isSick = connection.state.withLock { $0.sickness != nil }
            if isSick, !wasSick {
                due = .now() + .milliseconds(pause)
            } else if !isSick, due <= .now() || wasSick {
                due = .now() + .milliseconds(configuration.profile.canaryIntervalMilliseconds)
            }
            wasSick = isSick
        }
    }

    // MARK: Recovery

    /// One climb of the ladder: a new session, then a new login, then a restart of the module.
    private mutating func recover() -> Bool {
        let (login, canary, hasGivenUp) = connection.state.withLock { ($0.login, $0.canary, $0.hasGivenUp) }
        if hasGivenUp { return false }
        if let login, TokenConnection.failure(of: canary, in: login, sealing: connection.sealing) == nil {
            return recovered("in a new session")
        }
        leaveToken()
        if loginAgain() { return recovered("with a new login") }
        guard !connection.state.withLock({ $0.hasGivenUp }) else { return false }
        // Only if nobody is inside the module: not the workers, which have closed their sessions by now unless a
        // call has hung, and not another token of the same module.
        guard let module = try? Module.load(path: configuration.modulePath, reserved: configuration.reservedInitString),
            (try? module.restartIfIdle()) == true
        else { return false }
        return loginAgain() && recovered("after a restart of the module")
    }

    private mutating func loginAgain() -> Bool {
        do throws(LoginFailure) {
            try establish()
            return true
        } catch {
            leaveToken()
            if error.refusesPIN {
                connection.state.withLock { $0.hasGivenUp = true }
                rememberingRefusal {}()
                connection.tell(.gaveUp, "\(error.failure)")
            }
            return false
        }
    }

    private func recovered(_ how: String) -> Bool {
        connection.becomeHealthy()
        connection.tell(.recovered, how)
        return true
    }

    private func rememberingRefusal(then answer: @escaping @Sendable () -> Void) -> @Sendable () -> Void {
        let (refusals, pin, clusterID) = (refusals, pin, configuration.clusterID)
        return {
            Task {
                await refusals.refuse(pin, device: clusterID)
                answer()
            }
        }
    }

    /// Logs out and closes the spare session, as far as that still works.
    private mutating func leaveToken() {
        connection.state.withLock { $0.login = nil }
        guard var session = spare.take() else { return }
        try? session.logout()
        try? session.close()
    }
}
