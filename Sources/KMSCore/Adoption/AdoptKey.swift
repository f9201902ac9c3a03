public import KMSModel
import KMSPolicy
public import KeyStores
import Logging

/// An object that shall be the material of a new KMS key as it is.
public struct Adoption: Sendable {
    /// `default`, or the name or id of a custom key store.
    public var keyStore: String
    public var object: ObjectSelector
    public var onDeletion: KeyMaterial.Adoption

    public init(keyStore: String, object: ObjectSelector, onDeletion: KeyMaterial.Adoption) {
        self.keyStore = keyStore
        self.object = object
        self.onDeletion = onDeletion
    }
}

/// What became of an adoption.
public struct AdoptedKMSKey: Sendable, Codable {
    public var arn: String
    public var keySpec: String
    public var keyUsage: String
    /// CKA_ID in hexadecimal digits; empty where the object has none.
    public var objectID: String
    public var objectLabel: String
    /// What is no reason to refuse the object and still worth knowing, in sentences.
    public var observations: [String]
}

// By an operator of the installation or by a seed, in the name of the account's root user: AWS has no such operation,
// and no caller of the API can make a key of an object that is not theirs.
extension KeyManagementService {
    /// Makes an object of a device a KMS key. Nothing on the device is changed, so that there is nothing to undo and no
    /// intent: the key is there when the one transaction at the end is.
    ///
    /// - Parameters:
    ///   - request: what CreateKey takes, of which origin, custom key store and Multi-Region follow from the rest. A
    ///     KeySpec must be that of the object; without one, it is.
    ///   - aliases: with their prefix; they come with the key or not at all.
    /// Errors: ValidationException with the reason why the object is refused, and those of CreateKey.
    public func adoptKey(
        _ adoption: Adoption, as request: CreateKeyRequest, id: String? = nil, aliases: [Text] = [], in scope: Scope
    ) async throws(KMSError) -> AdoptedKMSKey {
        let context = RequestContext(
            caller: .root(of: scope.accountID, partition: scope.partition), region: scope.region)
        let keyStoreID = try customKeyStoreID(named: adoption.keyStore, in: scope)
        let keyID = id ?? Self.newKeyID(isMultiRegion: false)
        guard !keyID.hasPrefix("mrk-") else { throw .validation("An adopted key is no multi-Region key.") }
        let aliasNames = try aliases.map { alias throws(KMSError) in try Self.aliasName(alias) }
        let keyStore = try adoptingKeyStore(keyStoreID)

        let adopted = try await lookAt(adoption.object, request.keyUsage, keyID, in: keyStore)
        guard request.keySpec ?? adopted.backingKey.keySpec == adopted.backingKey.keySpec else {
            throw .validation("The object is \(adopted.backingKey.keySpec.rawValue).")
        }
        var request = request
        request.keySpec = adopted.backingKey.keySpec
        request.keyUsage = adopted.keyUsage
        request.customKeyStoreId = keyStoreID.map { Text($0) }
        request.origin = keyStoreID == nil ? .awsKms : .awsCloudhsm
        request.multiRegion = nil
        var key = try draft(of: request, id: keyID, context)
        key.materials = [
            KeyMaterial(
                backingKey: adopted.backingKey, placement: key.placement,
                materialID: try await materialID(of: adopted.backingKey, key, in: keyStore),
                creationDate: clock.now, adoption: adoption.onDeletion)
        ]
        try await commit(key, adopted, aliasNames)
        emit(event(key, adopted))
        return AdoptedKMSKey(
            arn: key.arn, keySpec: key.keySpec.rawValue, keyUsage: key.keyUsage.rawValue,
            objectID: adopted.objectID.lowercaseHexadecimal, objectLabel: adopted.entry.label,
            observations: adopted.observations)
    }

    /// The custom key store that a person means; nil for the default key store.
    ///
    /// Errors: CustomKeyStoreNotFoundException.
    private func customKeyStoreID(named name: String, in scope: Scope) throws(KMSError) -> String? {
        if name == Self.defaultKeyStoreName { return nil }
        let found = metadata.read { directory in
            directory.customKeyStores(in: scope).first { $0.answers(to: name) }
        }
        guard let found else { throw .customKeyStoreNotFound(name) }
        return found.id
    }

    /// What people call the key store of keys that name none.
    public static let defaultKeyStoreName = "default"

    private func adoptingKeyStore(_ customKeyStoreID: String?) throws(KMSError) -> any KeyStore {
        if let customKeyStoreID { return try registry.keyStore(ofCustom: customKeyStoreID) }
        guard case .device = configuration.defaultPlacement else {
            throw .validation("The default key store is in software and holds no objects that others could have made.")
        }
        guard let keyStore = metadata.read({ registry.anyKeyStore(at: configuration.defaultPlacement, in: $0) }) else {
            throw KMSError(.keyUnavailable, "The default key store is not available. Try again.")
        }
        return keyStore
    }

    private func lookAt(
        _ object: ObjectSelector, _ keyUsage: KeyUsageType?, _ keyID: String, in keyStore: any KeyStore
    ) async throws(KMSError) -> AdoptedKey {
        var generator = SystemRandomNumberGenerator()
        let id = BackingKeyID(randomFrom: &generator)
        do throws(KeyStoreError) {
            return try await keyStore.adoptKey(
                KeyAdoption(id: id, object: object, keyUsage: keyUsage, kmsKeyID: keyID))
        } catch {
            // For the operator, who may know what every API caller must not: the reason itself.
            logger.warning("an object was not adopted", metadata: ["object": "\(object)", "error": "\(error)"])
            throw error.code == .notAdoptable
                ? .validation("The object is not adopted: \(error.reason).")
                : KMSError(.kmsInternal, "The object could not be looked at: \(error.reason).")
        }
    }

    private func commit(_ key: KMSKey, _ adopted: AdoptedKey, _ aliasNames: [String]) async throws(KMSError) {
        let now = clock.now
        try await metadata.write { directory, changes throws(KMSError) in
            guard directory.key(key.id, in: key.scope) == nil else { throw .keyExists(key.arn) }
            try self.checkRoom(for: key, in: directory)
            try Self.requireFree(adopted, at: key.placement, in: directory)
            changes.append(.putKey(key))
            for name in aliasNames {
                guard directory.alias(name, in: key.scope) == nil else {
                    throw .aliasExists(key.scope.aliasARN(name))
                }
                changes.append(
                    .putAlias(
                        Alias(
                            scope: key.scope, name: name, targetKeyID: key.id, creationDate: now, lastUpdatedDate: now)
                    ))
            }
        }
    }

    /// One object is the material of one KMS key: deleting either key would otherwise surprise the other.
    private static func requireFree(
        _ adopted: AdoptedKey, at placement: Placement, in directory: borrowing Directory
    ) throws(KMSError) {
        if let id = adopted.entry.id, directory.backingKeys(at: placement).contains(id) {
            throw .validation("The object is not adopted: it is key material of this installation already.")
        }
        if let arn = directory.adopter(of: adopted.backingKey.reference, at: placement) {
            throw .validation("The object is not adopted: \(arn) has adopted it already.")
        }
    }

    private func event(_ key: KMSKey, _ adopted: AdoptedKey) -> ServiceEvent {
        ServiceEvent(
            .adoptedKey(
                key.materials.first?.materialIDText ?? "", objectID: adopted.objectID.lowercaseHexadecimal,
                label: Text(adopted.entry.label)),
            key, clock.now)
    }
}

extension Directory {
    /// The ARN of the KMS key that stands for an object, or did and has yet to see it destroyed.
    fileprivate func adopter(of reference: [UInt8], at placement: Placement) -> String? {
        let key = keys { key in
            key.materials.contains {
                $0.adoption != nil && $0.placement == placement && $0.backingKey.reference == reference
            }
        }.first
        return key?.arn
            ?? intents.values.first { $0.placement == placement && $0.adoptedReference == reference }?.keyARN
    }
}
