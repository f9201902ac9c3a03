internal import KeyStores
internal import PKCS11

// Copies of keys in session memory. Modules that read their disk at every use of a token object (docs/benchmarks.md) do
// not at that of a session object.

extension TokenKeyStore {
    /// The handles of a key, with a copy of it where the profile asks for copies and the key is there to be used again
    /// and again. The first use makes the copy; a connect makes none, because that of five thousand keys takes some
    /// modules most of a minute.
    func handles(of name: KeyName, for operation: TokenOperation) async throws(KeyStoreError) -> KeyHandles.Entry {
        let entry = try lookUp(name)
        guard connection.configuration.profile.sessionCopies, entry.copy == nil, !entry.staysInPlace,
            operation.isFrequent
        else { return entry }
        // A token that is away is not waited for here: the work itself is told.
        guard connection.health == .healthy,
            connection.handles.beginCopying(limit: connection.configuration.profile.sessionCopyLimit)
        else { return entry }
        await copy(entry.object, of: name)
        connection.handles.endCopying()
        return try lookUp(name)
    }

    private func lookUp(_ name: KeyName) throws(KeyStoreError) -> KeyHandles.Entry {
        switch connection.handles.lookup(name) {
        case .found(let entry): return entry
        case .missing: throw Self.keyNotFound
        case .ambiguous: throw KeyStoreError(.internalFailure, "several objects have \(name)")
        }
    }

    /// In the spare session: a copy lives as long as the session that made it, and this one as long as the login.
    private func copy(_ object: ObjectHandle, of name: KeyName) async {
        let handles = connection.handles
        let attempt = await connection.performInSpare { spare throws(PKCS11Error) in
            guard let copy = try SessionCopy.make(of: object, in: &spare) else { return false }
            if !handles.keep(copy, of: object, name) { try spare.destroyObject(copy) }
            return true
        }
        switch attempt {
        case .success(true), .failure(.refused): break
        // Whatever speaks against it (no room, attributes that forbid it) does so next time; the key works where it is.
        case .success(false), .failure(.token): _ = handles.keepInPlace(name, object)
        }
    }
}

extension TokenOperation {
    /// What is done with a key again and again. A fingerprint is taken once in its life, and a wrapping key unwraps
    /// once.
    fileprivate var isFrequent: Bool {
        switch self {
        case .encrypt, .decrypt, .sign, .authenticate, .deriveSharedSecret: true
        case .fingerprint, .generateKey, .generateKeyPair, .importKey, .adoptKey, .destroyKey, .findAndDestroyKey,
            .random,
            .inventory:
            false
        }
    }
}
