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
            // Made since the connect, it may not be on the disk yet.
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

    func objects() async throws(KeyStoreError) -> [StoredObject]? {
        try await run(.inventory) { session throws(PKCS11Error) in
            let objects = try TokenListing.run(in: &session)
            try session.requireLogin()
            return objects
        }
    }
}
