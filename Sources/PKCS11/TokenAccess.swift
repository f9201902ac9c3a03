public import SecureMemory

/// One login to one token by a command that a person runs: select, log in once, work, log out.
public struct TokenAccess: Sendable {
    public var modulePath: String
    /// The module's own initialisation string (NSS softoken needs one).
    public var initString: String?
    public var token: TokenSelector

    public init(modulePath: String, initString: String? = nil, token: TokenSelector) {
        self.modulePath = modulePath
        self.initString = initString
        self.token = token
    }

    /// Logs in and lends the session for the time of the call. Session objects that `body` makes are gone after it.
    ///
    /// Errors: a sentence for people. The PIN is tried once, and not at all where one more wrong one would lock the
    /// token.
    public func withSession<Result>(
        _ pin: SecretBytes, _ body: (inout Session) throws(TokenAccessError) -> Result
    ) throws(TokenAccessError) -> Result {
        var session = try openSession(in: findSlot())
        do throws(PKCS11Error) { try session.login(pin) } catch { throw TokenAccessError(error, token) }
        let result: Swift.Result<Result, TokenAccessError>
        do throws(TokenAccessError) {
            result = .success(try body(&session))
        } catch {
            result = .failure(error)
        }
        // Closing the last session does it too; somebody else in this process may have one.
        try? session.logout()
        return try result.get()
    }

    /// What the token says of itself to everybody: a login may change its flags.
    ///
    /// Errors: a sentence for people.
    public func tokenInfo() throws(TokenAccessError) -> TokenInfo {
        let slot = try findSlot()
        do throws(PKCS11Error) { return try slot.tokenInfo() } catch { throw TokenAccessError(error, token) }
    }

    private func findSlot() throws(TokenAccessError) -> Slot {
        let module: Module
        do throws(ModuleLoadFailure) {
            module = try Module.load(path: modulePath, reserved: initString)
        } catch {
            throw TokenAccessError(error.reason)
        }
        switch module.search(token) {
        case .found(let slot): return slot
        case .ambiguous: throw TokenAccessError("\(modulePath) has several tokens \(token)")
        case .absent: throw TokenAccessError("\(modulePath) has no token \(token)")
        case .failed(let error): throw TokenAccessError(error, token)
        }
    }

    private func openSession(in slot: Slot) throws(TokenAccessError) -> Session {
        let obstacle: String?
        let session: Session
        do throws(PKCS11Error) {
            obstacle = try slot.tokenInfo().loginObstacle
            session = try slot.openSession(epoch: LoginEpoch())
        } catch {
            throw TokenAccessError(error, token)
        }
        if let obstacle { throw TokenAccessError("the token \(token) \(obstacle)") }
        return session
    }
}

/// One sentence for people; never a secret.
public struct TokenAccessError: Error, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }

    public init(_ error: PKCS11Error, _ token: TokenSelector) {
        let explanation =
            switch error.returnValue {
            case .pinIncorrect: ": the PIN is wrong"
            case .pinLocked: ": the PIN is locked"
            default: ""
            }
        self.init("the token \(token) answers \(error)\(explanation)")
    }
}

extension TokenInfo {
    /// Why no PIN is tried on this token; nil when one may be.
    public var loginObstacle: String? {
        if !isUserPINInitialized { return "has no user PIN (CKF_USER_PIN_INITIALIZED is not set)" }
        if isUserPINLocked { return "shows CKF_USER_PIN_LOCKED" }
        if isUserPINFinalTry {
            return "shows CKF_USER_PIN_FINAL_TRY: one more wrong PIN would lock it, so none is tried"
        }
        return nil
    }
}
