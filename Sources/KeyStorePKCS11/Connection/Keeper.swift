internal import Dispatch
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Synchronization

/// The keeper thread's own state: it logs in, holds the spare session that keeps the login alive (modules log out
/// when the last session closes), and climbs the ladder of recovery.
struct Keeper: ~Copyable {
    let connection: TokenConnection
    /// Kept while the store is connected: recovery logs in again.
    let pin: LoginPIN
    let refusals: any RefusedPINs
    var spare: Session?
    /// Of the token that was connected: another one behind the same label is not ours.
    var serialNumber: String?
    /// Why the last attempt to log in again failed: said once, not at every attempt.
    private var obstacle: String?

    var configuration: TokenDeviceConfiguration { connection.configuration }

    init(connection: TokenConnection, pin: LoginPIN, refusals: any RefusedPINs) {
        self.connection = connection
        self.pin = pin
        self.refusals = refusals
    }

    /// The whole life of the thread.
    ///
    /// - Returns: what is still to be done when the connection has ended: to tell whoever waits that it failed. A
    ///   caller that tries again at once finds nothing left of this attempt.
    mutating func run(_ answer: PendingAnswer<Result<Void, ConnectionFailure>>) -> @Sendable () -> Void {
        let pin = pin.first
        do throws(LoginFailure) {
            // What another program has changed on the token since is to be seen.
            freshenModule()
            try establish(pin)
        } catch {
            leaveToken()
            let failure = error.failure
            guard error.refusesPIN else { return { answer.settle(.failure(failure)) } }
            // Also when nobody waits any more: what matters is that it is remembered.
            return rememberingRefusal(of: pin) { answer.settle(.failure(failure)) }
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
        var ladder = RecoveryLadder(firstRestMilliseconds: configuration.profile.recoveryDelayMilliseconds)
        var generator = SystemRandomNumberGenerator()
        var due = nextCanary
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
                if !wasSick {
                    _ = connection.checkCanary()
                } else if let rest = recover(&ladder, &generator) {
                    due = .now() + .milliseconds(rest)
                }
            }
            let isSick = connection.state.withLock { $0.sickness != nil }
            if isSick, !wasSick, case .rest(let milliseconds) = ladder.rest(&generator) {
                due = .now() + .milliseconds(milliseconds)
            } else if !isSick, due <= .now() || wasSick {
                due = nextCanary
            }
            wasSick = isSick
        }
    }

    private var nextCanary: DispatchTime { .now() + .milliseconds(configuration.profile.canaryIntervalMilliseconds) }

    // MARK: Recovery

    /// Climbs the ladder once, up to where the token is well.
    ///
    /// - Returns: how long to rest before the next climb, in milliseconds; nil when the token is well.
    private mutating func recover(
        _ ladder: inout RecoveryLadder, _ generator: inout SystemRandomNumberGenerator
    ) -> Int? {
        if ladder.hasGivenUp, !usablePINs.isEmpty { ladder.resume() }
        var step = ladder.climb()
        while true {
            switch step {
            case .climb(let rung):
                step = ladder.next(after: climb(rung), &generator)
            case .rest(let milliseconds):
                connection.answerWaiting(isHealthy: false)
                return milliseconds
            case .recovered(let rung):
                obstacle = nil
                connection.becomeHealthy()
                connection.tell(.recovered, rung.description)
                return nil
            case .giveUp:
                connection.answerWaiting(isHealthy: false)
                // Costs the token nothing: only the PIN is looked at.
                return configuration.profile.canaryIntervalMilliseconds
            }
        }
    }

    private mutating func climb(_ rung: RecoveryLadder.Rung) -> RecoveryLadder.Outcome {
        switch rung {
        case .session:
            let (login, canary) = connection.state.withLock { ($0.login, $0.canary) }
            guard let login, TokenConnection.failure(of: canary, in: login, sealing: connection.sealing) == nil else {
                return .notWell
            }
            return .well
        case .login:
            leaveToken()
            return loginAgain()
        case .moduleRestart:
            // Only if nobody is inside the module: not the workers, which have closed their sessions by now unless a
            // call has hung, and not another token of the same module.
            guard
                let module = try? Module.load(
                    path: configuration.modulePath, reserved: configuration.reservedInitString),
                (try? module.restartIfIdle()) == true
            else { return .notWell }
            return loginAgain()
        }
    }

    private mutating func loginAgain() -> RecoveryLadder.Outcome {
        var failure: ConnectionFailure?
        for pin in pinsToTry() {
            do throws(LoginFailure) {
                try establish(pin)
                self.pin.accepted(pin)
                return .well
            } catch {
                leaveToken()
                guard error.refusesPIN else {
                    report(obstacle: error.failure)
                    return .notWell
                }
                self.pin.refused(pin)
                rememberingRefusal(of: pin) {}()
                failure = error.failure
            }
        }
        let reason = failure.map(\.description) ?? "the PIN was refused before"
        connection.tell(.gaveUp, "\(reason); recovery goes on when there is another PIN")
        return .pinRefused
    }

    private mutating func report(obstacle failure: ConnectionFailure) {
        let reason = failure.description
        guard reason != obstacle else { return }
        obstacle = reason
        connection.tell(.stillSick, "a new login failed: \(reason)")
    }

    /// A new PIN comes first, in a module that has just started: some know nothing of one that another program has
    /// given the token since (SoftHSM). Where another token of the module is in use it comes last, because such a
    /// module still takes the old one.
    private func pinsToTry() -> [SecretBytes] {
        var pins = usablePINs
        if let first = pins.first, pin.isNew(first), !freshenModule() { pins.append(pins.removeFirst()) }
        return pins
    }

    /// - Returns: whether no session has been open since the module started.
    @discardableResult
    private func freshenModule() -> Bool {
        let module = try? Module.load(path: configuration.modulePath, reserved: configuration.reservedInitString)
        return (try? module?.freshenIfIdle()) == true
    }

    private var usablePINs: [SecretBytes] {
        pin.candidates().filter { !refusals.isRefused($0, device: configuration.clusterID) }
    }

    private func rememberingRefusal(
        of pin: SecretBytes, then answer: @escaping @Sendable () -> Void
    ) -> @Sendable () -> Void {
        let (refusals, clusterID) = (refusals, configuration.clusterID)
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

extension RecoveryLadder.Rung: CustomStringConvertible {
    package var description: String {
        switch self {
        case .session: "in a new session"
        case .login: "with a new login"
        case .moduleRestart: "after a restart of the module"
        }
    }
}
