internal import Cryptography
internal import Foundation
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import Synchronization

// Making and destroying keys on the token.

extension TokenKeyStore {
    func generateKey(_ request: KeyGeneration) async throws(KeyStoreError) -> BackingKey {
        if let refusal = refusal(of: request.keySpec, usage: request.keyUsage) {
            throw KeyStoreError(.unsupportedAlgorithm, refusal)
        }
        guard let form = KeyForm(request.keySpec) else {
            throw KeyStoreError(.unsupportedAlgorithm, KeyForm.absence(of: request.keySpec))
        }
        let capabilities = capabilities
        let template = KeyTemplate(
            form, usages: [request.keyUsage], id: request.id.bytes, label: request.label, onToken: true,
            keyType: capabilities.hmacKeyTypes[request.keySpec])
        let trial = trial(request.keySpec, request.keyUsage)
        let made = try await make(template, as: request.id) { key, publicKey, session throws(PKCS11Error) in
            try Self.objection(to: key, publicKey, request.keySpec, trial, capabilities, in: &session)
        }
        connection.handles.insert(request.id, KeyHandles.Entry(object: made.object, copy: nil))
        return BackingKey(
            id: request.id, keySpec: request.keySpec, kmsKeyID: request.kmsKeyID, reference: [],
            publicKey: made.publicKey)
    }

    /// Makes a key and brings it to the disk.
    ///
    /// - Parameter check: a last question about the new key; a text from it destroys the key.
    func make(
        _ template: KeyTemplate, as id: BackingKeyID,
        check: @escaping @Sendable (ObjectHandle, [UInt8]?, inout Session) throws(PKCS11Error) -> String?
    ) async throws(KeyStoreError) -> (object: ObjectHandle, publicKey: [UInt8]?) {
        do throws(KeyStoreError) {
            return try await makeWhereThereIsRoom(template, as: id, check: check)
        } catch {
            throw room.judge(error)
        }
    }

    /// Of the token's disk, where it has one.
    var room: TokenRoom { TokenRoom(path: connection.configuration.profile.syncDirectory) }

    private func makeWhereThereIsRoom(
        _ template: KeyTemplate, as id: BackingKeyID,
        check: @escaping @Sendable (ObjectHandle, [UInt8]?, inout Session) throws(PKCS11Error) -> String?
    ) async throws(KeyStoreError) -> (object: ObjectHandle, publicKey: [UInt8]?) {
        try requireUnknown(id)
        let caller = Caller()
        let operation: TokenOperation = template.form.isKeyPair ? .generateKeyPair : .generateKey
        let made: KeyMaking.Made
        do throws(KeyStoreError) {
            made = try await run(operation) { session throws(PKCS11Error) in
                let made = try KeyMaking.make(template, in: &session, check: check)
                // Nobody waits for a key that comes too late, and nobody knows of it.
                if case .sound(let object, _) = made, !caller.isWaiting { try session.destroyObject(object) }
                return made
            }
        } catch {
            if error.code == .timedOut { caller.leave() }
            throw error
        }
        switch made {
        case .sound(let object, let publicKey):
            try await bringToDisk()
            return (object, publicKey)
        case .wrong(let deviation):
            throw KeyStoreError(.internalFailure, "the token made a key that is not what was asked for: \(deviation)")
        }
    }

    /// On NSS a second object with the same CKA_ID takes the place of the first.
    func requireUnknown(_ id: BackingKeyID) throws(KeyStoreError) {
        guard case .missing = connection.handles.lookup(id) else {
            throw KeyStoreError(.internalFailure, "the token holds a key with the CKA_ID \(id) already")
        }
    }

    /// What works for the spec, to be tried with a new key before anybody relies on it.
    func trial(_ keySpec: KeySpec, _ usage: KeyUsageType) -> KeyAlgorithm? {
        keySpec.algorithms(for: usage).first { refusal(of: $0, keySpec: keySpec) == nil }
    }

    /// Why the new key must not be used: its halves do not belong together.
    static func objection(
        to key: ObjectHandle, _ info: [UInt8]?, _ keySpec: KeySpec, _ algorithm: KeyAlgorithm?,
        _ capabilities: TokenCapabilities, in session: inout Session
    ) throws(PKCS11Error) -> String? {
        guard let form = KeyForm(keySpec), form.isKeyPair else { return nil }
        guard let info, let algorithm else { return "there is no public key" }
        let publicKey: PublicKey
        do {
            publicKey = try KeyTrial.publicKey(info, keySpec)
        } catch {
            return "the public key is not valid: \(error)"
        }
        var method = TokenOAEP.Method.token
        if case .encryption(let encryption) = algorithm {
            method = capabilities.oaepMethods[encryption] ?? .token
        }
        return try KeyTrial(form: form, publicKey: publicKey, pointEncoding: capabilities.pointEncoding)
            .run(algorithm, oaep: method, with: key, in: &session)
    }

    /// Whether somebody still waits for an answer.
    final class Caller: Sendable {
        private let waits = Mutex(true)

        var isWaiting: Bool { waits.withLock { $0 } }
        func leave() { waits.withLock { $0 = false } }
    }

    func destroyKey(_ id: BackingKeyID) async throws(KeyStoreError) {
        // From here on no copy is made that would outlive the key.
        let copy = connection.handles.keepInPlace(.own(id))
        let known: ObjectHandle? =
            if case .found(let entry) = connection.handles.lookup(id) { entry.object } else { nil }
        let found = try await run(.destroyKey) { session throws(PKCS11Error) in
            let objects = try Self.objects(with: id, known: known, in: &session)
            var (keys, others): ([ObjectHandle], [ObjectHandle]) = ([], [])
            for object in objects {
                // Half-written objects have no class. A certificate is nobody's key material.
                let values = try Self.unlessGone { () throws(PKCS11Error) in
                    try session.attributes(of: object, [.objectClass])
                }
                guard let values else { continue }
                switch values.number(.objectClass).map(ObjectClass.init) {
                case nil, .secretKey, .privateKey: keys.append(object)
                case .publicKey: others.append(object)
                default: continue
                }
            }
            guard keys.count <= 1 else { return keys.count }
            if keys.isEmpty { try session.requireLogin() }
            do throws(PKCS11Error) {
                for object in keys + others + (copy.map { [$0] } ?? []) {
                    _ = try Self.unlessGone { () throws(PKCS11Error) in try session.destroyObject(object) }
                }
            } catch {
                Self.undestroyed.withLock { _ = $0.insert(.own(id)) }
                throw error
            }
            return keys.count
        }
        try await concludeDestruction(of: .own(id), found: found)
    }

    /// - Parameter found: how many keys have the name. One has been destroyed; of several, none.
    func concludeDestruction(of name: KeyName, found: Int) async throws(KeyStoreError) {
        guard found <= 1 else {
            throw KeyStoreError(.internalFailure, "\(found) keys have \(name); none was destroyed")
        }
        // SoftHSM hides an object that it could not destroy, and shows it again after its next start.
        guard found > 0 || !Self.undestroyed.withLock({ $0.contains(name) }) else {
            throw KeyStoreError(
                .internalFailure,
                "the token could not destroy the key with \(name) before and does not show it now; it is looked for at "
                    + "the next start")
        }
        Self.undestroyed.withLock { _ = $0.remove(name) }
        connection.handles.remove(name)
        // Nothing found may mean destroyed by an attempt that was interrupted before the disk knew of it.
        try await bringToDisk()
    }

    /// What may have to be destroyed. A secret key that is where it was is all there is, and needs no search, which takes a
    /// second on a token of 20,000 objects. All else is searched for: a public half may lie beside a private one, and what an
    /// interrupted generation left behind is in no table.
    private static func objects(
        with id: BackingKeyID, known: ObjectHandle?, in session: inout Session
    ) throws(PKCS11Error) -> [ObjectHandle] {
        if let known {
            let values = try unlessGone { () throws(PKCS11Error) in
                try session.attributes(of: known, [.objectClass, .id, .token])
            }
            if let values, values.number(.objectClass).map(ObjectClass.init) == .secretKey,
                values.bytes(.id) == id.bytes, values.flag(.token) == true
            {
                return [known]
            }
        }
        return try session.findObjects([.id(id.bytes), .flag(.token, true)])
    }

    /// What C_DestroyObject has failed for in this process. Modules are processwide, and so is what they hide.
    static let undestroyed = Mutex<Set<KeyName>>([])

    /// Nil for an object that is gone already, which is as good as destroyed: two requests may finish one destruction.
    static func unlessGone<Answer>(_ body: () throws(PKCS11Error) -> Answer) throws(PKCS11Error) -> Answer? {
        do throws(PKCS11Error) {
            return try body()
        } catch {
            guard error.returnValue == .objectHandleInvalid || error.returnValue == .keyHandleInvalid else {
                throw error
            }
            return nil
        }
    }

    /// Nothing is acknowledged before it is on the disk; modules that see to that themselves have no directory here.
    func bringToDisk() async throws(KeyStoreError) {
        guard let directory = connection.directorySync else { return }
        let synced = await connection.perform { _ throws(PKCS11Error) in Result { try directory.run() } }
        switch synced {
        case .success(.success): return
        case .success(.failure(let error)):
            throw KeyStoreError(.internalFailure, "the token's files could not be brought to the disk: \(error)")
        case .failure(.refused(let error)): throw error
        case .failure(.token(let error)): throw KeyStoreError(.unavailable, error.description)
        }
    }
}
