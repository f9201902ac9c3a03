internal import Cryptography
internal import Foundation
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import Synchronization

// Making keys on the token.

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
        keepHandle(made.object, of: request.id)
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
            made = try await run(operation) { [leftovers = connection.leftovers] session throws(PKCS11Error) in
                try leftovers.whileMaking(id) { () throws(PKCS11Error) in
                    let made = try KeyMaking.make(template, in: &session, check: check)
                    // Nobody waits for a key that comes too late, and nobody knows of it.
                    if case .sound(let object, _) = made, !caller.isWaiting { try session.destroyObject(object) }
                    return made
                }
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

    /// Of a key that is on the disk.
    func keepHandle(_ object: ObjectHandle, of id: BackingKeyID) {
        connection.handles.insert(id, KeyHandles.Entry(object: object, copy: nil))
        connection.leftovers.remove(id)
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
