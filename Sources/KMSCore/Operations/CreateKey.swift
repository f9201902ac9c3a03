import Foundation
public import KMSModel
import KMSPolicy
import KeyStores

extension KeyManagementService {
    static let keysPerAccountAndRegion = 100_000

    /// KMS API: CreateKey.
    public func createKey(
        _ request: CreateKeyRequest, _ context: RequestContext
    ) async throws(KMSError) -> CreateKeyResponse {
        let keySpec = try Self.keySpec(of: request)
        let keyUsage = try KeySpecRules.usage(requested: request.keyUsage, for: keySpec)
        let origin = request.origin ?? .awsKms
        try Self.checkRegion(of: keySpec, context)
        let tags = request.tags ?? []
        try Self.checkTags(tags)
        let id = UUID().uuidString.lowercased()
        try authorizeCreation(of: id, keySpec, keyUsage, origin, request, context)
        try refuseUnbuilt(request, origin)

        var key = KMSKey(
            id: id, scope: context.scope, creationDate: clock.now, keySpec: keySpec,
            keyUsage: keyUsage, origin: origin, multiRegion: false,
            customKeyStoreID: try customKeyStoreID(of: request, origin, context),
            description: request.description ?? "", status: .enabled, tags: tags, materials: [])
        key.policy = try request.policy.map { text throws(KMSError) in
            try self.checkedPolicy(
                text, for: key, bypassesLockoutCheck: request.bypassPolicyLockoutSafetyCheck == true, context)
        }
        return CreateKeyResponse(keyMetadata: keyMetadata(of: try await create(key)))
    }

    private static func keySpec(of request: CreateKeyRequest) throws(KMSError) -> KeySpec {
        guard let older = request.customerMasterKeySpec else { return request.keySpec ?? .symmetricDefault }
        guard request.keySpec == nil, let keySpec = KeySpec(rawValue: older.rawValue) else {
            throw .validation("You can specify KeySpec or CustomerMasterKeySpec, but not both: they mean the same.")
        }
        return keySpec
    }

    /// KMS API, CreateKey: SM2 is for China Regions only, and ML-KEM is not there.
    private static func checkRegion(of keySpec: KeySpec, _ context: RequestContext) throws(KMSError) {
        let isInChina = context.region.hasPrefix("cn-")
        let isAllowed =
            switch keySpec {
            case .sm2: isInChina
            case .mlKem512, .mlKem768, .mlKem1024: !isInChina
            default: true
            }
        guard isAllowed else {
            throw .unsupportedOperation("KeySpec \(keySpec.rawValue) is not supported in the Region \(context.region).")
        }
    }

    /// What the API has and this server does not have yet is refused, never accepted and ignored.
    private func refuseUnbuilt(_ request: CreateKeyRequest, _ origin: OriginType) throws(KMSError) {
        if request.multiRegion == true { throw .unsupportedOperation("Multi-Region keys are not supported.") }
        switch origin {
        case .awsKms, .awsCloudhsm: break
        case .external: throw .unsupportedOperation("Origin EXTERNAL is not supported.")
        case .externalKeyStore: throw .unsupportedOperation("Origin EXTERNAL_KEY_STORE is not supported.")
        }
        if request.xksKeyId != nil {
            throw .validation("XksKeyId is valid only for KMS keys with an Origin of EXTERNAL_KEY_STORE.")
        }
    }

    /// Creating keys is for identity policies to allow; there is no key policy yet. Tags need their own permission.
    private func authorizeCreation(
        of id: String, _ keySpec: KeySpec, _ keyUsage: KeyUsageType, _ origin: OriginType, _ request: CreateKeyRequest,
        _ context: RequestContext
    ) throws(KMSError) {
        let facts = RequestFacts(tags: request.tags)
            .with(.keySpec, Text(keySpec.rawValue)).with(.customerMasterKeySpec, Text(keySpec.rawValue))
            .with(.keyUsage, Text(keyUsage.rawValue)).with(.customerMasterKeyUsage, Text(keyUsage.rawValue))
            .with(.keyOrigin, Text(origin.rawValue)).with(.multiRegion, request.multiRegion ?? false)
            .with(.bypassPolicyLockoutSafetyCheck, request.bypassPolicyLockoutSafetyCheck)
        try authorize(.createKey, facts: facts, context)
        guard request.tags?.isEmpty == false else { return }
        try authorize(.of(.tagResource), on: context.scope.keyARN(id), facts: facts, context)
    }

    /// Origin AWS_CLOUDHSM and CustomKeyStoreId go together.
    private func customKeyStoreID(
        of request: CreateKeyRequest, _ origin: OriginType, _ context: RequestContext
    ) throws(KMSError) -> String? {
        switch (origin, request.customKeyStoreId) {
        case (.awsCloudhsm, let id?):
            return try customKeyStore(id, context).id
        case (.awsCloudhsm, nil):
            throw .validation("CustomKeyStoreId is required for an Origin of AWS_CLOUDHSM.")
        case (_, nil):
            return nil
        case (_, _?):
            throw .validation("CustomKeyStoreId is valid only for an Origin of AWS_CLOUDHSM or EXTERNAL_KEY_STORE.")
        }
    }

    // MARK: Material

    /// Makes the first material of `key` and stores the key: intent → object → commit, so that an interruption at any
    /// point leaves either a whole key or an intent by which what was left behind is found.
    private func create(_ key: KMSKey) async throws(KMSError) -> KMSKey {
        let (keyStore, placement) = try target(of: key)
        if let reason = keyStore.refusal(of: key.keySpec, usage: key.keyUsage) {
            throw .unsupportedOperation(
                "KeySpec \(key.keySpec.rawValue) with KeyUsage \(key.keyUsage.rawValue) is not supported here: "
                    + reason
            )
        }
        var generator = SystemRandomNumberGenerator()
        let id = BackingKeyID(randomFrom: &generator)
        intentsInFlight.insert(id)
        defer { intentsInFlight.remove(id) }
        let intent = Intent(
            kind: .generate, backingKeyID: id, placement: placement, keyARN: key.arn, creationDate: key.creationDate)
        try await metadata.write { _, changes throws(KMSError) in changes.append(.putIntent(intent)) }
        do {
            let material = try await generate(id, for: key, at: placement, in: keyStore)
            return try await metadata.write { directory, changes throws(KMSError) -> KMSKey in
                var key = key
                key.materials = [material]
                try self.checkRoom(for: key, in: directory)
                changes.append(.putKey(key))
                changes.append(.deleteIntent(id))
                return key
            }
        } catch {
            await abandon(intent, in: keyStore)
            throw error
        }
    }

    private func target(of key: KMSKey) throws(KMSError) -> (any KeyStore, Placement) {
        guard let customKeyStoreID = key.customKeyStoreID else {
            let placement = configuration.defaultPlacement
            return (try registry.keyStore(at: placement, keyARN: key.arn), placement)
        }
        let keyStore = try registry.keyStore(ofCustom: customKeyStoreID)
        guard let clusterID = metadata.read({ $0.customKeyStores[customKeyStoreID]?.clusterID }) else {
            throw .customKeyStoreNotFound(customKeyStoreID)
        }
        return (keyStore, .device(clusterID: clusterID))
    }

    private func generate(
        _ id: BackingKeyID, for key: KMSKey, at placement: Placement, in keyStore: any KeyStore
    ) async throws(KMSError) -> KeyMaterial {
        do {
            let backingKey = try await keyStore.generateKey(
                KeyGeneration(
                    id: id, keySpec: key.keySpec, keyUsage: key.keyUsage, kmsKeyID: key.id, label: key.arn))
            let fingerprint = try await keyStore.fingerprint(of: backingKey)
            return KeyMaterial(
                backingKey: backingKey, placement: placement,
                materialID: try serverSecret.materialID(keyID: key.id, fingerprint: fingerprint),
                creationDate: key.creationDate)
        } catch let error as KeyStoreError {
            throw answer(error, .create, key)
        } catch {
            throw .internalError
        }
    }

    /// Quota and key store, looked at when nobody else can change them any more.
    private func checkRoom(for key: KMSKey, in directory: borrowing Directory) throws(KMSError) {
        guard directory.contents(of: key.scope).keys.count < Self.keysPerAccountAndRegion else {
            throw .limitExceeded("An account can have at most \(Self.keysPerAccountAndRegion) KMS keys in a Region.")
        }
        if let customKeyStoreID = key.customKeyStoreID, directory.customKeyStores[customKeyStoreID] == nil {
            throw .customKeyStoreNotFound(customKeyStoreID)
        }
    }
}
