internal import PKCS11
internal import SecureMemory

/// Where on which token a key is.
public struct TokenKeyName: Sendable {
    public var modulePath: String
    /// The module's own initialisation string (NSS softoken needs one).
    public var initString: String?
    public var tokenLabel: String
    /// CKA_LABEL.
    public var keyLabel: String?
    /// CKA_ID.
    public var keyID: [UInt8]?

    public init(modulePath: String, tokenLabel: String) {
        self.modulePath = modulePath
        self.tokenLabel = tokenLabel
    }

    /// Logs in, finds the key, and lends both for the time of the call. Session objects that `body` makes are gone
    /// after it.
    func withKey<Result>(
        pin: SecretBytes, _ body: (inout Session, ObjectHandle) throws(CeremonyError) -> Result
    ) throws(CeremonyError) -> Result {
        var session = try openSession()
        try CeremonyError.whileTalking(to: tokenLabel) { () throws(PKCS11Error) in try session.login(pin) }
        let result: Swift.Result<Result, CeremonyError>
        do throws(CeremonyError) {
            result = .success(try body(&session, try findKey(&session)))
        } catch {
            result = .failure(error)
        }
        // Closing the last session does it too; somebody else in this process may have one.
        try? session.logout()
        return try result.get()
    }

    private func openSession() throws(CeremonyError) -> Session {
        let module: Module
        do throws(ModuleLoadFailure) {
            module = try Module.load(path: modulePath, reserved: initString)
        } catch {
            throw CeremonyError(error.reason)
        }
        let slots = try CeremonyError.whileTalking(to: tokenLabel) { () throws(PKCS11Error) in
            var found: [(slot: Slot, info: TokenInfo)] = []
            for slot in try module.slotsWithToken() {
                let info = try slot.tokenInfo()
                if info.label == tokenLabel { found.append((slot, info)) }
            }
            return found
        }
        guard let token = slots.first else {
            throw CeremonyError("\(modulePath) has no token with the label \(tokenLabel)")
        }
        guard slots.count == 1 else {
            throw CeremonyError("\(modulePath) has \(slots.count) tokens with the label \(tokenLabel)")
        }
        guard !token.info.isUserPINLocked else {
            throw CeremonyError("the PIN of the token \(tokenLabel) is locked")
        }
        return try CeremonyError.whileTalking(to: tokenLabel) { () throws(PKCS11Error) in
            try token.slot.openSession(epoch: LoginEpoch())
        }
    }

    private var keyDescription: String {
        let id = keyID.map { $0.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
        return [keyLabel.map { "the label \($0)" }, id.map { "the id \($0)" }].compactMap { $0 }
            .joined(separator: " and ")
    }

    /// The one secret or private key of that name. A public key may have the same name.
    private func findKey(_ session: inout Session) throws(CeremonyError) -> ObjectHandle {
        var template: [Attribute] = []
        if let keyLabel { template.append(.label(keyLabel)) }
        if let keyID { template.append(.id(keyID)) }
        var found: [ObjectHandle] = []
        do throws(PKCS11Error) {
            for objectClass in [ObjectClass.secretKey, .privateKey] {
                found += try session.findObjects([.objectClass(objectClass)] + template)
            }
        } catch {
            throw CeremonyError(error, tokenLabel)
        }
        guard let key = found.first else {
            throw CeremonyError("the token \(tokenLabel) has no secret or private key with \(keyDescription)")
        }
        guard found.count == 1 else {
            throw CeremonyError("the token \(tokenLabel) has \(found.count) keys with \(keyDescription)")
        }
        return key
    }
}

extension CeremonyError {
    init(_ error: PKCS11Error, _ token: String) {
        let explanation =
            switch error.returnValue {
            case .pinIncorrect: ": the PIN is wrong"
            case .pinLocked: ": the PIN is locked"
            default: ""
            }
        self.init("the token \(token) answers \(error)\(explanation)")
    }

    /// Gives a failure of the token its place in a sentence.
    static func whileTalking<Result: ~Copyable>(
        to token: String, _ body: () throws(PKCS11Error) -> Result
    ) throws(CeremonyError) -> Result {
        do throws(PKCS11Error) { return try body() } catch { throw CeremonyError(error, token) }
    }
}
