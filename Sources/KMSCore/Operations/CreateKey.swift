import Foundation
public import KMSModel
import KMSPolicy
import KeyStores

extension KeyManagementService {
    /// KMS API: CreateKey.
    public func createKey(
        _ request: CreateKeyRequest, _ context: RequestContext
    ) async throws(KMSError) -> CreateKeyResponse {
        try await createKey(request, id: Self.newKeyID(isMultiRegion: request.multiRegion == true), context)
    }

    /// - Parameter id: of the new key; its form says whether it is a multi-Region key.
    func createKey(
        _ request: CreateKeyRequest, id: String, _ context: RequestContext
    ) async throws(KMSError) -> CreateKeyResponse {
        let key = try draft(of: request, id: id, context)
        let created = try await create(key)
        context.trail.note(created)
        return CreateKeyResponse(keyMetadata: keyMetadata(of: created))
    }

    /// The key that a request asks for, still without material, once nothing about the request itself speaks against
    /// it.
    func draft(
        of request: CreateKeyRequest, id: String, _ context: RequestContext
    ) throws(KMSError) -> KMSKey {
        let keySpec = try Self.keySpec(of: request)
        let keyUsage = try KeySpecRules.usage(requested: request.keyUsage, for: keySpec)
        let origin = request.origin ?? .awsKms
        try KeySpecRules.checkRegion(context.region, of: keySpec, named: "KeySpec")
        let tags = request.tags ?? []
        try Self.checkTags(tags)
        try authorizeCreation(of: id, keySpec, keyUsage, origin, request, context)
        try refuseUnbuilt(request, origin)

        let customKeyStoreID = try customKeyStoreID(of: request, origin, keySpec, context)
        var key = KMSKey(
            id: id, scope: context.scope, creationDate: clock.now, keySpec: keySpec,
            keyUsage: keyUsage, origin: origin, primaryRegion: request.multiRegion == true ? context.region : nil,
            customKeyStoreID: customKeyStoreID,
            description: request.description ?? "", status: .enabled, tags: tags,
            placement: try placement(inCustomKeyStore: customKeyStoreID), materials: [])
        key.policy = try request.policy.map { text throws(KMSError) in
            try self.checkedPolicy(
                text, for: key, bypassesLockoutCheck: request.bypassPolicyLockoutSafetyCheck == true, context)
        }
        return key
    }

    /// KMS Developer Guide, "Key identifiers": a UUID, or `mrk-` and 32 hexadecimal digits.
    static func newKeyID(isMultiRegion: Bool) -> String {
        let id = UUID().uuidString.lowercased()
        return isMultiRegion ? "mrk-" + id.filter { $0 != "-" } : id
    }

    private static func keySpec(of request: CreateKeyRequest) throws(KMSError) -> KeySpec {
        guard let older = request.customerMasterKeySpec else { return request.keySpec ?? .symmetricDefault }
        guard request.keySpec == nil, let keySpec = KeySpec(rawValue: older.rawValue) else {
            throw .validation("You can specify KeySpec or CustomerMasterKeySpec, but not both: they mean the same.")
        }
        return keySpec
    }

    /// What the API has and this server does not have yet is refused, never accepted and ignored.
    private func refuseUnbuilt(_ request: CreateKeyRequest, _ origin: OriginType) throws(KMSError) {
        switch origin {
        case .awsKms, .external, .awsCloudhsm: break
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
            .with(.multiRegionKeyType, request.multiRegion == true ? Text(MultiRegionKeyType.primary.rawValue) : nil)
            .with(.bypassPolicyLockoutSafetyCheck, request.bypassPolicyLockoutSafetyCheck)
        try authorize(.createKey, facts: facts, context)
        guard request.tags?.isEmpty == false else { return }
        try authorize(.of(.tagResource), on: context.scope.keyARN(id), facts: facts, context)
    }

    /// Origin AWS_CLOUDHSM and CustomKeyStoreId go together. Beyond what AWS allows, a custom key store takes imported
    /// material as well.
    private func customKeyStoreID(
        of request: CreateKeyRequest, _ origin: OriginType, _ keySpec: KeySpec, _ context: RequestContext
    ) throws(KMSError) -> String? {
        switch (origin, request.customKeyStoreId) {
        case (_, _?) where request.multiRegion == true:
            throw .unsupportedOperation("A custom key store holds no multi-Region keys.")
        case (.awsCloudhsm, let id?), (.external, let id?):
            try checkCompatibility(ofCustomKeyStoreWith: keySpec, origin)
            return try customKeyStore(id, context).id
        case (.awsCloudhsm, nil):
            throw .validation("CustomKeyStoreId is required for an Origin of AWS_CLOUDHSM.")
        case (_, nil):
            return nil
        case (_, _?):
            throw .validation("CustomKeyStoreId is valid only for an Origin of AWS_CLOUDHSM or EXTERNAL_KEY_STORE.")
        }
    }

    func placement(inCustomKeyStore id: String?) throws(KMSError) -> Placement {
        guard let id else { return configuration.defaultPlacement }
        guard let clusterID = metadata.read({ $0.customKeyStores[id]?.clusterID }) else {
            throw .customKeyStoreNotFound(id)
        }
        return .device(clusterID: clusterID)
    }

    // MARK: Material

    /// Stores the key, with its first material unless that will be imported.
    private func create(_ key: KMSKey) async throws(KMSError) -> KMSKey {
        let keyStore =
            if let id = key.customKeyStoreID { try registry.keyStore(ofCustom: id) } else {
                try registry.keyStore(of: key)
            }
        try refuseUnsupported(key, in: keyStore)
        guard key.origin != .external else {
            try await metadata.write { directory, changes throws(KMSError) in
                try self.checkRoom(for: key, in: directory)
                changes.append(.putKey(key))
            }
            return key
        }
        return try await withIntent(at: key.placement, in: keyStore, keyARN: key.arn) { id throws(KMSError) in
            try await self.generateMaterial(id, for: key, in: keyStore)
        } commit: { id, material throws(KMSError) in
            try await self.metadata.write { directory, changes throws(KMSError) -> KMSKey in
                var key = key
                key.materials = [material]
                try self.checkRoom(for: key, in: directory)
                changes.append(.putKey(key))
                changes.append(.deleteIntent(id))
                return key
            }
        }
    }

    func refuseUnsupported(_ key: KMSKey, in keyStore: any KeyStore) throws(KMSError) {
        let refusal =
            keyStore.refusal(of: key.keySpec, usage: key.keyUsage)
            ?? (key.origin == .external
                ? keyStore.refusal(ofImporting: key.keySpec, usage: key.keyUsage) : nil)
        guard let refusal else { return }
        let origin = key.origin == .external ? " and Origin EXTERNAL" : ""
        throw .unsupportedOperation(
            "KeySpec \(key.keySpec.rawValue) with KeyUsage \(key.keyUsage.rawValue)\(origin) is not supported here: "
                + refusal)
    }

    /// Quota and key store, looked at when nobody else can change them any more.
    func checkRoom(for key: KMSKey, in directory: borrowing Directory) throws(KMSError) {
        try checkQuota(of: key.scope, in: directory)
        if let customKeyStoreID = key.customKeyStoreID, directory.customKeyStores[customKeyStoreID] == nil {
            throw .customKeyStoreNotFound(customKeyStoreID)
        }
    }

    func checkQuota(of scope: Scope, in directory: borrowing Directory) throws(KMSError) {
        let limit = configuration.quotas.keys
        guard directory.contents(of: scope).customerManagedKeyCount < limit else {
            throw .limitExceeded("An account can have at most \(limit) KMS keys in a Region.")
        }
    }
}
