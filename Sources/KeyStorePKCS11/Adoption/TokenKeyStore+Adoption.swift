internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import Synchronization

// Objects that others made.

extension TokenKeyStore {
    func adoptKey(_ request: KeyAdoption) async throws(KeyStoreError) -> AdoptedKey {
        let examination = AdoptionExamination(
            selector: request.object, keyUsage: request.keyUsage, capabilities: capabilities,
            sealing: connection.sealing)
        let result = try await run(.adoptKey) { session throws(PKCS11Error) in
            let result = try examination.run(in: &session)
            if case .failure = result { try session.requireLogin() }
            return result
        }
        switch result {
        case .failure(let refusal):
            throw KeyStoreError(.notAdoptable, refusal.reason)
        case .success(let fit):
            // Whoever made it may not have brought it to the disk.
            try await bringToDisk()
            // It may have been made after the sweep of this login.
            connection.handles.insert(.adopted(fit.name), KeyHandles.Entry(adopted: fit.object))
            return AdoptedKey(
                backingKey: BackingKey(
                    id: request.id, keySpec: fit.keySpec, kmsKeyID: request.kmsKeyID, reference: fit.name.reference,
                    publicKey: fit.publicKey),
                keyUsage: fit.keyUsage, entry: InventoryEntry(fit.values), objectID: fit.values.bytes(.id) ?? [],
                observations: AdoptionRules.observations(fit.values, fit.keyUsage, fit.keySpec))
        }
    }

    func destroyAdoptedObject(_ reference: [UInt8]) async throws(KeyStoreError) {
        guard let name = TokenObjectName(reference: reference) else {
            throw KeyStoreError(.internalFailure, "what is to be destroyed has no name")
        }
        let found = try await run(.destroyKey) { session throws(PKCS11Error) in
            let sweep = try TokenSweep.run(in: &session, only: .adopted(name))
            if sweep.ambiguousNames.contains(name) { return 2 }
            guard let object = sweep.names[name] else {
                try session.requireLogin()
                return 0
            }
            do throws(PKCS11Error) {
                // That object alone: a public key or a certificate beside it was never ours.
                _ = try Self.unlessGone { () throws(PKCS11Error) in try session.destroyObject(object) }
            } catch {
                Self.undestroyed.withLock { _ = $0.insert(.adopted(name)) }
                throw error
            }
            return 1
        }
        guard found <= 1 else {
            throw KeyStoreError(.internalFailure, "several keys have \(name); none was destroyed")
        }
        guard found > 0 || !Self.undestroyed.withLock({ $0.contains(.adopted(name)) }) else {
            throw KeyStoreError(
                .internalFailure,
                "the token could not destroy the key with \(name) before and does not show it now; it is looked for at "
                    + "the next start")
        }
        Self.undestroyed.withLock { _ = $0.remove(.adopted(name)) }
        connection.handles.remove(.adopted(name))
        try await bringToDisk()
    }

    func objects() async throws(KeyStoreError) -> [StoredObject]? {
        try await run(.inventory) { session throws(PKCS11Error) in
            let objects = try TokenListing.run(in: &session)
            try session.requireLogin()
            return objects
        }
    }
}
