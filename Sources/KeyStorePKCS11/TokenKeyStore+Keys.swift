internal import Foundation
internal import KeyStores
internal import PKCS11
internal import Synchronization

// Making and destroying keys on the token.

extension TokenKeyStore {
    func generateKey(_ request: KeyGeneration) async throws(KeyStoreError) -> BackingKey {
        if let refusal = refusal(of: request.keySpec) { throw KeyStoreError(.unsupportedAlgorithm, refusal) }
        // On NSS a second object with the same CKA_ID takes the place of the first.
        guard case .missing = connection.handles.lookup(request.id) else {
            throw KeyStoreError(.internalFailure, "the token holds a key with the CKA_ID \(request.id) already")
        }
        let start = Date.now
        let id = request.id.bytes
        let caller = Caller()
        let made: Made
        do throws(KeyStoreError) {
            made = try await run(.generateKey) { session throws(PKCS11Error) in
                let made = try Self.generateAES256(id: id, label: request.label, in: &session)
                // Nobody waits for a key that comes too late, and nobody knows of it.
                if case .sound(let object) = made, !caller.isWaiting { try session.destroyObject(object) }
                return made
            }
        } catch {
            if error.code == .timedOut { caller.leave() }
            throw error
        }
        let object: ObjectHandle
        switch made {
        case .sound(let handle): object = handle
        case .wrong(let deviation):
            throw KeyStoreError(.internalFailure, "the token made a key that is not what was asked for: \(deviation)")
        }
        try await bringToDisk(changedSince: start)
        connection.handles.insert(
            request.id, KeyHandles.Entry(object: object, copy: await sessionCopy(of: object)))
        return BackingKey(id: request.id, keySpec: request.keySpec, kmsKeyID: request.kmsKeyID, reference: [])
    }

    /// Whether somebody still waits for an answer.
    private final class Caller: Sendable {
        private let waits = Mutex(true)

        var isWaiting: Bool { waits.withLock { $0 } }
        func leave() { waits.withLock { $0 = false } }
    }

    private enum Made: Sendable {
        case sound(ObjectHandle)
        case wrong(String)
    }

    /// Generates, reads back, and destroys what is not exactly what was asked for.
    private static func generateAES256(
        id: [UInt8], label: String, in session: inout Session
    ) throws(PKCS11Error) -> Made {
        let template =
            KeyTemplates.aes256(id: id, label: label, onToken: true)
            + [.valueLength(KeyTemplates.aes256ByteCount)]
        let object = try session.generateKey(.aesKeyGeneration, template)
        do throws(PKCS11Error) {
            let values = try session.attributes(of: object, KeyTemplates.readBack)
            guard let deviation = KeyTemplates.deviation(of: values, id: id, onToken: true) else {
                return .sound(object)
            }
            try session.destroyObject(object)
            return .wrong(deviation)
        } catch {
            try? session.destroyObject(object)
            throw error
        }
    }

    /// Nil when the profile wants no copies, or when none can be made: the key then works where it is.
    private func sessionCopy(of object: ObjectHandle) async -> ObjectHandle? {
        guard connection.configuration.profile.sessionCopies else { return nil }
        let copy = await connection.performInSpare { spare throws(PKCS11Error) in
            try spare.copyObject(object, KeyTemplates.sessionCopy)
        }
        return try? copy.get()
    }

    func destroyKey(_ id: BackingKeyID) async throws(KeyStoreError) {
        let start = Date.now
        let copy: ObjectHandle? = if case .found(let entry) = connection.handles.lookup(id) { entry.copy } else { nil }
        // Searched for, not looked up: what an interrupted generation left behind is in no table.
        let found = try await run(.destroyKey) { session throws(PKCS11Error) in
            let objects = try session.findObjects([.objectClass(.secretKey), .id(id.bytes), .flag(.token, true)])
            guard objects.count <= 1 else { return objects.count }
            for object in objects { try Self.destroy(object, in: &session) }
            if let copy { try Self.destroy(copy, in: &session) }
            return objects.count
        }
        guard found <= 1 else {
            throw KeyStoreError(.internalFailure, "\(found) objects have the CKA_ID \(id); none was destroyed")
        }
        connection.handles.remove(id)
        // Nothing found may mean destroyed by an attempt that was interrupted before the disk knew of it.
        try await bringToDisk(changedSince: found > 0 ? start : .distantPast)
    }

    /// What is gone already is as good as destroyed.
    private static func destroy(_ object: ObjectHandle, in session: inout Session) throws(PKCS11Error) {
        do throws(PKCS11Error) {
            try session.destroyObject(object)
        } catch {
            guard error.returnValue == .objectHandleInvalid || error.returnValue == .keyHandleInvalid else {
                throw error
            }
        }
    }

    /// Nothing is acknowledged before it is on the disk; modules that see to that themselves have no directory here.
    private func bringToDisk(changedSince start: Date) async throws(KeyStoreError) {
        guard let path = connection.configuration.profile.syncDirectory else { return }
        let synced = await connection.perform { _ throws(PKCS11Error) in
            Result { try DirectorySync(path: path).run(changedSince: start) }
        }
        switch synced {
        case .success(.success): return
        case .success(.failure(let error)):
            throw KeyStoreError(.internalFailure, "the token's files could not be brought to the disk: \(error)")
        case .failure(.refused(let error)): throw error
        case .failure(.token(let error)): throw KeyStoreError(.unavailable, error.description)
        }
    }
}
