import KeyStorePKCS11
import KeyStores
import PKCS11
import Testing

/// What follows from a token's return value, operation by operation: decided without a token.
struct ErrorVerdictTests {
    private static let repeatable: [TokenOperation] = [
        .encrypt, .decrypt(junk: nil), .sign, .authenticate, .deriveSharedSecret, .fingerprint, .random, .inventory,
    ]
    private static let once: [TokenOperation] = [
        .generateKey, .generateKeyPair, .importKey, .destroyKey, .findAndDestroyKey,
    ]
    /// The session is not what it was thought to be.
    private static let lostSessions: [ReturnValue] = [
        .sessionHandleInvalid, .sessionClosed, .userNotLoggedIn, .operationActive, .operationNotInitialized,
        .cryptokiNotInitialized,
    ]

    /// The device had a fault that may be over.
    private static let passing: [ReturnValue] = [
        .deviceError, .generalError, .functionFailed, .deviceRemoved, .tokenNotPresent, .hostMemory,
    ]

    private func retry(_ verdict: ErrorVerdict) -> Bool? {
        guard case .askCanary(_, let retry) = verdict else { return nil }
        return retry
    }

    @Test(arguments: repeatable)
    func `What may be done twice is done again in a fresh session`(operation: TokenOperation) {
        for value in Self.lostSessions + Self.passing {
            #expect(retry(operation.verdict(on: PKCS11Error(.encryptInit, value))) == true)
        }
    }

    @Test(arguments: once)
    func `What must not be done twice is not`(operation: TokenOperation) {
        for value in Self.lostSessions + Self.passing {
            #expect(retry(operation.verdict(on: PKCS11Error(.createObject, value))) == false)
        }
    }

    @Test(arguments: repeatable + once)
    func `No return value by itself makes a token sick`(operation: TokenOperation) {
        for value in Self.lostSessions + Self.passing {
            switch operation.verdict(on: PKCS11Error(.sign, value)) {
            case .final(let error): #expect(error.code != .unavailable)
            // The canary is asked, and it decides.
            case .askCanary(let error, _): #expect(error.code != .unavailable)
            case .askCanaryForKey: break
            }
        }
    }

    @Test func `What the token says of the message is not asked again`() {
        for value in [ReturnValue.dataLenRange, .dataInvalid] {
            #expect(retry(TokenOperation.sign.verdict(on: PKCS11Error(.sign, value))) == false)
        }
    }

    @Test(arguments: [TokenOperation.generateKey, .generateKeyPair, .importKey])
    func `A full token is not a sick one, and is not asked whether it is`(operation: TokenOperation) {
        guard case .final(let error) = operation.verdict(on: PKCS11Error(.generateKey, .deviceMemory)) else {
            Issue.record("the canary is asked")
            return
        }
        #expect(error.code == .full)
    }

    /// They make nothing that stays: what they lack memory for is no key.
    @Test(arguments: repeatable + [.destroyKey, .findAndDestroyKey])
    func `Nothing else finds a token full`(operation: TokenOperation) {
        guard case .askCanary(let error, _) = operation.verdict(on: PKCS11Error(.encryptInit, .deviceMemory)) else {
            Issue.record("the canary is not asked")
            return
        }
        #expect(error.code == .internalFailure)
    }

    @Test(arguments: [ReturnValue.encryptedDataInvalid, .encryptedDataLenRange, .dataLenRange])
    func `A ciphertext that is none is the caller's fault, and nobody else is asked`(value: ReturnValue) {
        let verdict = TokenOperation.decrypt(junk: nil).verdict(on: PKCS11Error(.decrypt, value))
        guard case .final(let error) = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(error.code == .invalidCiphertext)
    }

    @Test func `A device error of a decryption gets a second try, also where the token says so of wrong tags`() {
        let error = PKCS11Error(.decrypt, .generalError)
        #expect(retry(TokenOperation.decrypt(junk: .encryptedDataInvalid).verdict(on: error)) == true)
        #expect(retry(TokenOperation.decrypt(junk: .generalError).verdict(on: error)) == true)
        #expect(retry(TokenOperation.importKey.verdict(on: error)) == true)
    }

    @Test func `What has not seen the ciphertext cannot call it invalid`() {
        for value in [ReturnValue.generalError, .functionFailed, .deviceError] {
            let verdict = TokenOperation.decrypt(junk: value).verdict(on: PKCS11Error(.decryptInit, value))
            guard case .askCanary(let error, true) = verdict else {
                Issue.record("\(verdict)")
                return
            }
            #expect(error.code == .internalFailure)
        }
    }

    @Test(arguments: repeatable + once)
    func `An invalid handle is a question about the key`(operation: TokenOperation) {
        for value in [ReturnValue.keyHandleInvalid, .objectHandleInvalid] {
            #expect(operation.verdict(on: PKCS11Error(.signInit, value)) == .askCanaryForKey)
        }
    }
}
