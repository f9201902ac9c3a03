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
        let access = TokenAccess(modulePath: modulePath, initString: initString, token: .label(tokenLabel))
        let result: Swift.Result<Result, CeremonyError>
        do throws(TokenAccessError) {
            result = try access.withSession(pin) { session throws(TokenAccessError) in
                do throws(CeremonyError) {
                    return .success(try body(&session, try findKey(&session)))
                } catch {
                    return .failure(error)
                }
            }
        } catch {
            throw CeremonyError(error.description)
        }
        return try result.get()
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
        self.init("the token \(token) answers \(error)")
    }

    /// Gives a failure of the token its place in a sentence.
    static func whileTalking<Result: ~Copyable>(
        to token: String, _ body: () throws(PKCS11Error) -> Result
    ) throws(CeremonyError) -> Result {
        do throws(PKCS11Error) { return try body() } catch { throw CeremonyError(error, token) }
    }
}
