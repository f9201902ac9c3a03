internal import Foundation
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory
internal import Synchronization

/// The key store on a PKCS#11 token: every backing key is an object of its own on the token, made there, sensitive and
/// not extractable, named by CKA_ID and never touched again until it is destroyed.
final class TokenKeyStore: KeyStore {
    let connection: TokenConnection

    init(connection: TokenConnection) {
        self.connection = connection
    }

    let ciphertextSuite = CiphertextSuite.directAES256GCM

    func refusal(of keySpec: KeySpec, usage: KeyUsageType) -> String? {
        capabilities.refusal(of: keySpec, usage: usage)
    }

    func refusal(of algorithm: KeyAlgorithm, keySpec: KeySpec) -> String? {
        capabilities.refusal(of: algorithm, keySpec: keySpec)
    }

    var capabilities: TokenCapabilities { connection.state.withLock { $0.capabilities } }

    // MARK: Work with keys

    func encrypt(
        _ plaintext: SecretBytes, associatedData: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SealedMessage {
        try requireSymmetric(key)
        guard (1...GCMSealing.longestPlaintext).contains(plaintext.count) else {
            throw KeyStoreError(.internalFailure, "a plaintext has 1 to \(GCMSealing.longestPlaintext) bytes")
        }
        let sealing = connection.sealing
        let sealed = try await run(.encrypt, key) { key, session throws(PKCS11Error) in
            try sealing.seal(plaintext, associatedData: associatedData, key: key, in: &session)
        }
        switch sealed {
        case .message(let message): return message
        case .breach(let breach): throw KeyStoreError(.internalFailure, breach.rawValue)
        }
    }

    func decrypt(
        _ message: SealedMessage, associatedData: [UInt8], with key: BackingKey
    ) async throws(KeyStoreError) -> SecretBytes {
        try requireSymmetric(key)
        guard GCMSealing.hasForm(message) else { throw TokenOperation.invalidCiphertext }
        let sealing = connection.sealing
        return try await run(.decrypt(junk: capabilities.badTagReturnValue), key) {
            key, session throws(PKCS11Error) in
            try sealing.open(message, associatedData: associatedData, key: key, in: &session)
        }
    }

    func randomBytes(_ count: Int) async throws(KeyStoreError) -> SecretBytes {
        guard (1...1024).contains(count) else {
            throw KeyStoreError(.internalFailure, "1 to 1024 random bytes can be had")
        }
        return try await run(.random) { session throws(PKCS11Error) in try session.generateRandom(count) }
    }

    func inventory() async throws(KeyStoreError) -> [InventoryEntry]? {
        try await run(.inventory) { session throws(PKCS11Error) in
            let inventory = try TokenSweep.run(in: &session).inventory
            try session.requireLogin()
            return inventory
        }
    }

    var deviceSerialNumber: String? { connection.state.withLock { $0.login?.serialNumber } }

    private func requireSymmetric(_ key: BackingKey) throws(KeyStoreError) {
        guard key.keySpec == .symmetricDefault else {
            throw KeyStoreError(.unsupportedAlgorithm, "the key is not symmetric")
        }
        try require(.encryption(.symmetricDefault), key)
    }

    /// Throws the token's reason when keys of this spec do not do this here.
    func require(_ algorithm: KeyAlgorithm, _ key: BackingKey) throws(KeyStoreError) {
        if let refusal = refusal(of: algorithm, keySpec: key.keySpec) {
            throw KeyStoreError(.unsupportedAlgorithm, refusal)
        }
    }

    // MARK: The way to the token and back

    /// Runs `body` on a worker. After a suspicious error the canary is asked, and its answer decides.
    func run<Answer: Sendable>(
        _ operation: TokenOperation,
        _ body: @escaping @Sendable (inout Session) throws(PKCS11Error) -> Answer
    ) async throws(KeyStoreError) -> Answer {
        try await run(operation, key: { () async throws(KeyStoreError) in nil }) { _, session throws(PKCS11Error) in
            try body(&session)
        }
    }

    /// The same with the handle of a key, looked up anew for each try: recovery gives keys other handles.
    func run<Answer: Sendable>(
        _ operation: TokenOperation, _ id: BackingKeyID,
        _ body: @escaping @Sendable (ObjectHandle, inout Session) throws(PKCS11Error) -> Answer
    ) async throws(KeyStoreError) -> Answer {
        try await run(operation, .own(id), body)
    }

    /// The same with a backing key.
    func run<Answer: Sendable>(
        _ operation: TokenOperation, _ key: BackingKey,
        _ body: @escaping @Sendable (ObjectHandle, inout Session) throws(PKCS11Error) -> Answer
    ) async throws(KeyStoreError) -> Answer {
        try await run(operation, try name(of: key), body)
    }

    func name(of key: BackingKey) throws(KeyStoreError) -> KeyName {
        guard let name = KeyName(key) else {
            throw KeyStoreError(.internalFailure, "the backing key \(key.id) does not say which object it stands for")
        }
        return name
    }

    private func run<Answer: Sendable>(
        _ operation: TokenOperation, _ name: KeyName,
        _ body: @escaping @Sendable (ObjectHandle, inout Session) throws(PKCS11Error) -> Answer
    ) async throws(KeyStoreError) -> Answer {
        let find = { [self] () async throws(KeyStoreError) -> (KeyName, KeyHandles.Entry)? in
            (name, try await handles(of: name, for: operation))
        }
        return try await run(operation, key: find) { key, session throws(PKCS11Error) in
            guard let key else { throw PKCS11Error(.getAttributeValue, .objectHandleInvalid) }
            return try body(key.inUse, &session)
        }
    }

    private func run<Answer: Sendable>(
        _ operation: TokenOperation, key find: () async throws(KeyStoreError) -> (KeyName, KeyHandles.Entry)?,
        _ body: @escaping @Sendable (KeyHandles.Entry?, inout Session) throws(PKCS11Error) -> Answer
    ) async throws(KeyStoreError) -> Answer {
        let profile = connection.configuration.profile
        let limit = operation.isLong ? profile.keyPairTimeoutMilliseconds : profile.callTimeoutMilliseconds
        let deadline = ContinuousClock.now + .milliseconds(limit)
        // At most two more tries, whatever the reasons.
        var retriesLeft = 2
        while true {
            let key = try await find()
            let entry = key?.1
            let error: PKCS11Error
            let attempt = await connection.perform(in: operation.turn, by: deadline) { session throws(PKCS11Error) in
                try body(entry, &session)
            }
            switch attempt {
            case .success(let answer): return answer
            case .failure(.refused(let refusal)):
                // Not begun, so that another try is the first one.
                guard refusal.code == .unavailable, retriesLeft > 0, await connection.comesBack(by: deadline) else {
                    throw refusal
                }
                retriesLeft -= 1
                continue
            case .failure(.token(let tokenError)): error = tokenError
            }
            let verdict = operation.verdict(on: error)
            if case .final(let answer) = verdict { throw answer }
            guard await connection.isHealthy() else {
                guard operation.isRepeatable, retriesLeft > 0, await connection.comesBack(by: deadline) else {
                    throw KeyStoreError(.unavailable, "the token is not well: \(error)")
                }
                retriesLeft -= 1
                continue
            }
            switch verdict {
            case .final(let answer):
                throw answer
            case .askCanary(let answer, let retry):
                guard retry, retriesLeft == 2 else { throw answer }
            case .askCanaryForKey:
                guard let (name, used) = key else { throw KeyStoreError(.internalFailure, error.description) }
                // A new login since the lookup gives the key another handle, and a copy may be gone without its
                // original. Otherwise the token is asked whether the key is: one wrong answer must not cost it.
                let isThere = await findAgain(name, unlike: used)
                guard isThere, retriesLeft > 0 else { throw Self.keyNotFound }
            }
            retriesLeft -= 1
        }
    }

    /// Whether there is a handle to be tried for a key whose handle the token has called invalid.
    private func findAgain(_ name: KeyName, unlike used: KeyHandles.Entry) async -> Bool {
        if used.copy == nil, case .found(used) = connection.handles.lookup(name) {
            let search = await connection.perform(in: .searching) { session throws(PKCS11Error) in
                let found = try TokenSweep.run(in: &session, only: name).object(named: name)
                if found == nil { try session.requireLogin() }
                return found
            }
            switch search {
            case .success(let object?):
                let entry = KeyHandles.Entry(object: object, copy: nil, staysInPlace: used.staysInPlace)
                connection.handles.insert(name, entry)
                return true
            case .success(nil): break
            // Nobody knows: the key is not given up for that.
            case .failure: return true
            }
        }
        guard connection.handles.giveUp(used, of: name) else { return true }
        // It has been looked for, and yet one wrong answer must not make it outlive its destruction.
        if case .own(let id) = name { connection.leftovers.insert(id) }
        return false
    }

    static let keyNotFound = KeyStoreError(.keyNotFound, "the token does not hold the key")
}
