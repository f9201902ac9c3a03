internal import Dispatch
internal import Foundation
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Synchronization

/// Why a login did not come about.
struct LoginFailure: Error {
    let failure: ConnectionFailure
    /// The token has refused the PIN; it must not be tried again.
    let refusesPIN: Bool

    init(_ failure: ConnectionFailure) {
        self.failure = failure
        refusesPIN = false
    }

    init(_ error: PKCS11Error) {
        failure = ConnectionFailure(error)
        refusesPIN = error.refusesPIN
    }
}

extension Keeper {
    /// Finds the token, logs in, finds the keys and makes the canary; the first time it probes the token too.
    mutating func establish(_ pin: SecretBytes) throws(LoginFailure) {
        let slot = try findSlot()
        try logIn(to: slot, pin)
        do throws(PKCS11Error) {
            try settleIn(slot)
        } catch {
            throw LoginFailure(error)
        }
    }

    // MARK: Finding the token

    private func findSlot() throws(LoginFailure) -> Slot {
        let module: Module
        do throws(ModuleLoadFailure) {
            module = try Module.load(path: configuration.modulePath, reserved: configuration.reservedInitString)
        } catch {
            throw LoginFailure(ConnectionFailure(error))
        }
        let first = module.search(configuration.token)
        switch first {
        case .found(let slot): return slot
        case .ambiguous: throw LoginFailure(Self.ambiguity(configuration.token))
        case .absent, .failed: break
        }
        // Some modules notice a new token only when they start (SoftHSM): start it again, if nobody is inside.
        let restarted = (try? module.restartIfIdle()) == true
        switch restarted ? module.search(configuration.token) : first {
        case .found(let slot):
            return slot
        case .ambiguous:
            throw LoginFailure(Self.ambiguity(configuration.token))
        case .failed(let error):
            throw LoginFailure(error)
        case .absent:
            let hint = restarted ? "" : "; the module is in use, and may not show a token that is newer than its start"
            throw LoginFailure(
                ConnectionFailure(.clusterNotFound, "the module has no token \(configuration.token)\(hint)"))
        }
    }

    private static func ambiguity(_ selector: TokenSelector) -> ConnectionFailure {
        ConnectionFailure(.internalError, "the module has more than one token \(selector)")
    }

    // MARK: Logging in

    /// One C_Login, and none at all if the token is about to lock or cannot know the user.
    private mutating func logIn(to slot: Slot, _ pin: SecretBytes) throws(LoginFailure) {
        let info: TokenInfo
        do throws(PKCS11Error) {
            info = try slot.tokenInfo()
        } catch {
            throw LoginFailure(error)
        }
        if let refusal = refusal(of: info) { throw LoginFailure(refusal) }
        do throws(PKCS11Error) {
            var session = try slot.openSession(epoch: LoginEpoch())
            if serialNumber == nil { noteBeginning(pin) }
            try logIn(&session, pin)
            let login = TokenConnection.Login(slot: slot, epoch: session.epoch, serialNumber: info.serialNumber)
            spare = .some(session)
            serialNumber = info.serialNumber
            connection.state.withLock { $0.login = login }
        } catch {
            throw LoginFailure(error)
        }
    }

    /// A process that is killed between the token's refusal and its being remembered must not try again after its
    /// restart.
    private func noteBeginning(_ pin: SecretBytes) {
        let (refusals, clusterID) = (refusals, configuration.clusterID)
        let isNoted = DispatchSemaphore(value: 0)
        Task {
            await refusals.beginLogin(pin, device: clusterID)
            isNoted.signal()
        }
        // The keeper's thread is its own: nobody else is kept waiting.
        isNoted.wait()
    }

    private func logIn(_ session: inout Session, _ pin: SecretBytes) throws(PKCS11Error) {
        do throws(PKCS11Error) {
            try session.login(pin)
        } catch {
            // Recovery could not log out of a token that failed at that too: the login is this connection's own. No PIN
            // was looked at.
            guard error.returnValue == .userAlreadyLoggedIn, serialNumber != nil else { throw error }
            try session.logout()
            try session.login(pin)
        }
    }

    private func refusal(of info: TokenInfo) -> ConnectionFailure? {
        if let serialNumber, info.serialNumber != serialNumber {
            return ConnectionFailure(
                .clusterNotFound, "another token, \(info.serialNumber), has taken the place of this one")
        }
        if info.hasPINPad, !configuration.profile.ignoresPINPad {
            return ConnectionFailure(
                .invalidCredentials,
                "the token asks for its PIN on its own keypad (CKF_PROTECTED_AUTHENTICATION_PATH), where nobody is when a "
                    + "server logs in again; profile.ignoresPINPad lets it log in with the configured PIN all the same")
        }
        // A token that counts says so from the first wrong PIN on, until a right one. One that has refused nobody may
        // be asked again.
        if pin.isUndecided, serialNumber == nil, info.isUserPINCountLow {
            return ConnectionFailure(
                .invalidCredentials,
                "the server was stopped in a login with this PIN, and the token shows CKF_USER_PIN_COUNT_LOW: it may have "
                    + "refused the PIN. Log in with another program, which clears the flag, or give another PIN")
        }
        if let obstacle = info.loginObstacle {
            return ConnectionFailure(
                info.isUserPINInitialized ? .userLockedOut : .userNotFound, "the token \(obstacle)")
        }
        return nil
    }

    // MARK: After the login

    /// Sweep, canary and probe. What is found is published only when all of it is there.
    private mutating func settleIn(_ slot: Slot) throws(PKCS11Error) {
        guard let epoch = spare?.epoch else { throw PKCS11Error(.login, .sessionClosed) }
        var session = try slot.openSession(epoch: epoch)
        connection.handles.beginSweep()
        let settled = connection.leftovers.settled
        let sweep = try sweep(&session)
        let isFirst = connection.state.withLock { $0.capabilities.isEmpty }
        if isFirst {
            var capabilities = try CapabilityProbe(sealing: connection.sealing).run(in: slot, epoch: epoch)
            capabilities.module = try slot.moduleInfo().description
            connection.state.withLock { [capabilities] in $0.capabilities = capabilities }
            if let refusal = capabilities.refusal(of: TokenCapabilities.Need.basic) {
                connection.tell(.finding, "the token cannot do everything: \(refusal)")
            }
        }
        let canary = try prepareCanary(sweep.canaries, slot, epoch)
        for id in sweep.ambiguous { connection.tell(.finding, "several objects have the CKA_ID \(id); none is used") }
        connection.handles.replace(with: sweep)
        connection.leftovers.replace(settled, with: isKnownToDisk(sweep) ? sweep.leftovers : nil)
        connection.state.withLock { $0.canary = canary }
    }

    private func sweep(_ session: inout Session) throws(PKCS11Error) -> TokenSweep {
        waitForTurn()
        defer { connection.turns.end() }
        let sweep = try TokenSweep.run(in: &session)
        // A token that has ended the login meanwhile has shown only a part.
        try session.requireLogin()
        return sweep
    }

    /// Until the calls have ended that were making objects when the token was missed, or half a second at most: one of
    /// them may be what hangs.
    private func waitForTurn() {
        let (connection, isTurn) = (connection, DispatchSemaphore(value: 0))
        let limit = min(connection.turnLimitMilliseconds, 500)
        Task {
            await connection.turns.begin(.searching) { connection.setAlarm(milliseconds: limit, $0) }
            isTurn.signal()
        }
        isTurn.wait()
    }

    /// Whether everything is known of the token, and what is not there is not on its disk either: it may have been
    /// destroyed by somebody who then could not wait for the disk.
    private func isKnownToDisk(_ sweep: TokenSweep) -> Bool {
        guard sweep.isComplete else { return false }
        guard let directory = connection.directorySync else { return true }
        return (try? directory.run()) != nil
    }

    /// A canary from what is on the token, or a new one; nil if the device allows none.
    private func prepareCanary(
        _ existing: [ObjectHandle], _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) -> Canary? {
        let (isRecovery, capabilities) = connection.state.withLock { ($0.canary != nil, $0.capabilities) }
        if let refusal = capabilities.refusal(of: TokenCapabilities.Need.canary) {
            connection.tell(.finding, "no canary can be made: \(refusal)")
            return nil
        }
        let sealsMessages = capabilities.refusal(of: TokenCapabilities.Need.symmetric) == nil
        var lastError: PKCS11Error?
        // A half-written canary of a process that died must not stand in the way of a new one.
        for candidate in existing.map(Optional.some) + [nil] {
            do throws(PKCS11Error) {
                // A session each: one that failed may be in the middle of an operation.
                var session = try slot.openSession(epoch: epoch)
                let canary = try Canary.prepare(
                    existing: candidate, sealsMessages: sealsMessages, sealing: connection.sealing, in: &session)
                if let canary { return canary }
            } catch {
                if error.isDeviceFault { throw error }
                lastError = error
            }
        }
        // A token that had a canary is not well before one sings again.
        if isRecovery { throw lastError ?? PKCS11Error(.decrypt, .generalError) }
        let reason = lastError?.description ?? "the token does not give back what it was given"
        connection.tell(.finding, "no canary can be made: \(reason)")
        return nil
    }
}
