public import KMSModel
import KMSPolicy
import KeyStores
import Logging

extension KeyManagementService {
    /// KMS API, ValidTo: at most 365 days from the request.
    static let longestExpirationSeconds = 365 * secondsPerDay

    /// KMS API: ImportKeyMaterial.
    public func importKeyMaterial(
        _ request: ImportKeyMaterialRequest, _ context: RequestContext
    ) async throws(KMSError) -> ImportKeyMaterialResponse {
        let facts = RequestFacts()
            .with(.expirationModel, request.expirationModel.map { Text($0.rawValue) })
            .with(.validTo, request.validTo.map(\.iso8601))
        let key = try resolve(request.keyId, forms: .keys, for: .importKeyMaterial, facts: facts, context)
        try key.requireOrigin(.external)
        try checkState(.importMaterial, of: key)
        await expireMaterial(of: key, clock.now)
        let validTo = try expiration(of: request)
        let rules = ImportRules.Request(
            importType: request.importType, keyMaterialID: request.keyMaterialId?.string.lowercased(),
            description: request.keyMaterialDescription)
        try ImportRules.check(rules, for: key)
        let parameters = try importParameters(of: request.importToken, for: key)
        let keyStore = try registry.keyStore(of: key)

        let materialID = try await withIntent(at: key.placement, in: keyStore, keyARN: key.arn) {
            id throws(KMSError) in
            try await self.unwrap(request.encryptedKeyMaterial, parameters, as: id, key, in: keyStore)
        } commit: { id, material throws(KMSError) in
            let now = self.clock.now
            var material = material
            material.importDetails = KeyMaterial.ImportDetails(
                state: .imported, description: rules.description, validTo: validTo)
            return try await self.change(request.keyId, for: .importKeyMaterial, facts: facts, context) {
                [material] key, directory, changes throws(KMSError) -> [UInt8] in
                try self.checkState(.importMaterial, of: key)
                changes += try Self.changes(importing: material, rules, into: key, in: directory, now)
                changes.append(.deleteIntent(id))
                return material.materialID
            }
        }
        await finishIntents(of: key)
        return ImportKeyMaterialResponse(
            keyId: Text(key.arn),
            keyMaterialId: key.keySpec == .symmetricDefault ? Text(materialID.lowercaseHexadecimal) : nil)
    }

    /// ValidTo, as the record keeps it. AWS's text for a missing one is recorded; the others are not known.
    private func expiration(of request: ImportKeyMaterialRequest) throws(KMSError) -> Timestamp? {
        let now = clock.now
        switch (request.expirationModel ?? .keyMaterialExpires, request.validTo) {
        case (.keyMaterialDoesNotExpire, nil): return nil
        case (.keyMaterialDoesNotExpire, _?):
            throw .validation("ValidTo must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE")
        case (.keyMaterialExpires, nil):
            throw .validation("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES")
        case (.keyMaterialExpires, let validTo?):
            guard validTo > now else { throw .validation("ValidTo must be in the future.") }
            guard validTo <= now + Self.longestExpirationSeconds else {
                throw .validation("ValidTo must be within 365 days of the request.")
            }
            return validTo
        }
    }

    /// The parameters that a token stands for.
    ///
    /// Errors: InvalidImportTokenException, ExpiredImportTokenException.
    private func importParameters(of token: [UInt8], for key: KMSKey) throws(KMSError) -> ImportParameters {
        let token = try ImportToken(token, serverSecret)
        guard token.scope == key.scope, token.keyID == key.id else { throw .unknownImportToken }
        guard clock.now < token.expirationDate else { throw .expiredImportToken }
        // Gone before its time: newer parameters of the same KMS key took its place.
        guard let parameters = metadata.read({ $0.importParameters[token.wrappingKeyID] }) else {
            throw .expiredImportToken
        }
        guard ImportToken(parameters) == token else { throw .unknownImportToken }
        return parameters
    }

    private func unwrap(
        _ wrapped: [UInt8], _ parameters: ImportParameters, as id: BackingKeyID, _ key: KMSKey,
        in keyStore: any KeyStore
    ) async throws(KMSError) -> KeyMaterial {
        let imported: ImportedKey
        do throws(KeyStoreError) {
            imported = try await keyStore.importKey(
                KeyImport(
                    key: key.generation(of: id), wrappedMaterial: wrapped, wrappingKey: parameters.wrappingKey))
        } catch {
            throw answer(error, .importMaterial, key)
        }
        logger.notice(
            "unwrapped imported key material",
            metadata: [
                "key": "\(key.arn)", "backingKey": "\(id)", "path": "\(imported.path.description)",
                "plaintextInHostMemory": "\(imported.path.exposesMaterialToHost)",
            ])
        return KeyMaterial(
            backingKey: imported.backingKey, placement: key.placement,
            materialID: try await materialID(of: imported.backingKey, key, in: keyStore), creationDate: clock.now)
    }

    /// What a successful import changes.
    private static func changes(
        importing material: KeyMaterial, _ rules: ImportRules.Request, into before: KMSKey,
        in directory: borrowing Directory, _ now: Timestamp
    ) throws(KMSError) -> [MetadataChange] {
        var key = before
        var material = material
        var changes: [MetadataChange] = []
        var related = directory.relatedKeys(of: key).filter { $0.scope != before.scope }
        switch try ImportRules.verdict(on: material.materialID, rules, for: key) {
        case .first:
            key.materials.append(material)
        case .pendingRotation:
            // Every Region has to import it before any can use it.
            material.state = related.isEmpty ? .pendingRotation : .pendingMultiRegionImportAndRotation
            key.materials.append(material)
            for index in related.indices {
                related[index].materials.append(material.awaitingImport)
                changes.append(.putKey(related[index]))
            }
        case .again(let index):
            let old = key.materials[index]
            // The new object takes the place of the old one: re-import is also the remedy when a token has lost it.
            key.materials[index].backingKey = material.backingKey
            key.materials[index].importDetails = material.importDetails
            if rules.description == nil {
                key.materials[index].importDetails?.description = old.importDetails?.description
            }
            if old.isPresent {
                changes.append(
                    Intent.destruction(of: old.backingKey.id, at: old.placement, keyARN: key.arn, now))
            }
        }
        // KMS Developer Guide, "Key states": the import of what was missing enables the key. One that was disabled with
        // its material in place stays so.
        if before.isMissingMaterial(at: now), !key.isMissingMaterial(at: now) { key.status = .enabled }
        changes.append(.putKey(key))
        changes += pendingChanges(among: [key] + related)
        return changes
    }
}
