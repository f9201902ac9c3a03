internal import KeyStores
internal import PKCS11
internal import Synchronization

// Destroying keys on the token.

extension TokenKeyStore {
    func discardKey(_ id: BackingKeyID) async throws(KeyStoreError) {
        if case .missing = connection.handles.lookup(id), !connection.leftovers.mayExist(id),
            !Self.undestroyed.withLock({ $0.contains(.own(id)) })
        {
            return
        }
        try await destroyKey(id)
    }

    func destroyKey(_ id: BackingKeyID) async throws(KeyStoreError) {
        guard !connection.leftovers.isInTheMaking(id) else {
            throw KeyStoreError(.internalFailure, "the call that makes the key \(id) has not come back")
        }
        // From here on no copy is made that would outlive the key.
        let copy = connection.handles.keepInPlace(.own(id))
        let found: Int
        if case .found(let entry) = connection.handles.lookup(id), !connection.leftovers.mayExist(id),
            try await destroy(entry.object, copy, of: id)
        {
            found = 1
        } else {
            found = try await findAndDestroy(id, copy)
        }
        try await concludeDestruction(of: .own(id), found: found)
    }

    /// Destroys a key that is all that the token holds under its name: without a search, which takes a second on a
    /// token of 20,000 objects.
    ///
    /// - Returns: false, and nothing is destroyed, when the object is not that of the key any more.
    private func destroy(
        _ object: ObjectHandle, _ copy: ObjectHandle?, of id: BackingKeyID
    ) async throws(KeyStoreError) -> Bool {
        try await run(.destroyKey) { session throws(PKCS11Error) in
            let values = try Self.unlessGone { () throws(PKCS11Error) in
                try session.attributes(of: object, [.objectClass, .id, .token])
            }
            guard let values, values.bytes(.id) == id.bytes, values.flag(.token) == true else { return false }
            switch values.number(.objectClass).map(ObjectClass.init) {
            case .secretKey, .privateKey: break
            default: return false
            }
            if let copy { _ = try Self.destroy(copy, of: .own(id), in: &session) }
            return try Self.destroy(object, of: .own(id), in: &session)
        }
    }

    /// Destroys all that the token holds under the name of a key, in whatever state it is.
    ///
    /// - Returns: how many keys have the name. Of several, none is destroyed.
    private func findAndDestroy(_ id: BackingKeyID, _ copy: ObjectHandle?) async throws(KeyStoreError) -> Int {
        try await run(.findAndDestroyKey) { session throws(PKCS11Error) in
            if let copy { _ = try Self.destroy(copy, of: .own(id), in: &session) }
            if let count = try Self.findAndDestroy(id, in: &session) { return count }
            // Somebody else has destroyed what was found, or the login has ended, and there may even be a new one
            // already.
            guard let count = try Self.findAndDestroy(id, in: &session) else {
                throw PKCS11Error(.destroyObject, .objectHandleInvalid)
            }
            return count
        }
    }

    /// - Returns: nil when it is not certain that what was found is gone.
    private static func findAndDestroy(
        _ id: BackingKeyID, in session: inout Session
    ) throws(PKCS11Error) -> Int? {
        var (keys, others): ([ObjectHandle], [ObjectHandle]) = ([], [])
        for object in try session.findObjects(KeyName.own(id).template) {
            // Half-written objects have no class. A certificate is nobody's key material.
            let values = try unlessGone { () throws(PKCS11Error) in
                try session.attributes(of: object, [.objectClass])
            }
            guard let values else { return nil }
            switch values.number(.objectClass).map(ObjectClass.init) {
            case nil, .secretKey, .privateKey: keys.append(object)
            case .publicKey: others.append(object)
            default: continue
            }
        }
        guard keys.count <= 1 else { return keys.count }
        if keys.isEmpty { try session.requireLogin() }
        for object in keys + others {
            guard try destroy(object, of: .own(id), in: &session) else { return nil }
        }
        return keys.count
    }

    /// Somebody else's object alone: a public key or a certificate beside it was never ours.
    func destroyAdoptedObject(_ reference: [UInt8]) async throws(KeyStoreError) {
        guard let name = TokenObjectName(reference: reference) else {
            throw KeyStoreError(.internalFailure, "what is to be destroyed has no name")
        }
        let found = try await run(.findAndDestroyKey) { session throws(PKCS11Error) in
            let sweep = try TokenSweep.run(in: &session, only: .adopted(name))
            if sweep.ambiguousNames.contains(name) { return 2 }
            guard let object = sweep.names[name] else {
                try session.requireLogin()
                return 0
            }
            guard try Self.destroy(object, of: .adopted(name), in: &session) else {
                throw PKCS11Error(.destroyObject, .objectHandleInvalid)
            }
            return 1
        }
        try await concludeDestruction(of: .adopted(name), found: found)
    }

    /// - Returns: false when the token does not know the object: it is gone, or the login is.
    private static func destroy(
        _ object: ObjectHandle, of name: KeyName, in session: inout Session
    ) throws(PKCS11Error) -> Bool {
        do throws(PKCS11Error) {
            return try unlessGone { () throws(PKCS11Error) in try session.destroyObject(object) } != nil
        } catch {
            undestroyed.withLock { _ = $0.insert(name) }
            throw error
        }
    }

    /// - Parameter found: how many keys have the name. One has been destroyed; of several, none.
    private func concludeDestruction(of name: KeyName, found: Int) async throws(KeyStoreError) {
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
        if case .own(let id) = name { connection.leftovers.insert(id) }
        try await bringToDisk()
        if case .own(let id) = name { connection.leftovers.remove(id) }
    }

    /// What C_DestroyObject has failed for in this process. Modules are processwide, and so is what they hide.
    private static let undestroyed = Mutex<Set<KeyName>>([])

    /// Nil for an object that is gone already, which is as good as destroyed: two requests may finish one destruction.
    private static func unlessGone<Answer>(
        _ body: () throws(PKCS11Error) -> Answer
    ) throws(PKCS11Error) -> Answer? {
        do throws(PKCS11Error) {
            return try body()
        } catch {
            guard error.returnValue == .objectHandleInvalid || error.returnValue == .keyHandleInvalid else {
                throw error
            }
            return nil
        }
    }
}
