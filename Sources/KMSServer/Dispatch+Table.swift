import KMSCore
import KMSModel
import SecureMemory

extension Dispatch {
    static let table: [KMSOperation: Handler] = [
        // Cryptography
        .encrypt: handler(KeyManagementService.encrypt),
        .decrypt: handler(KeyManagementService.decrypt),
        .reEncrypt: handler(KeyManagementService.reEncrypt),
        .generateDataKey: handler(KeyManagementService.generateDataKey),
        .generateDataKeyWithoutPlaintext: handler(KeyManagementService.generateDataKeyWithoutPlaintext),
        .generateRandom: handler(KeyManagementService.generateRandom),
        .generateDataKeyPair: handler(KeyManagementService.generateDataKeyPair),
        .generateDataKeyPairWithoutPlaintext: handler(KeyManagementService.generateDataKeyPairWithoutPlaintext),
        .sign: handler(KeyManagementService.sign),
        .verify: handler(KeyManagementService.verify),
        .generateMac: handler(KeyManagementService.generateMac),
        .verifyMac: handler(KeyManagementService.verifyMac),
        .getPublicKey: handler(KeyManagementService.getPublicKey),
        .deriveSharedSecret: handler(KeyManagementService.deriveSharedSecret),
        .encapsulate: handler(KeyManagementService.encapsulate),
        .decapsulate: handler(KeyManagementService.decapsulate),
        // Keys
        .createKey: handler(KeyManagementService.createKey),
        .describeKey: handler(KeyManagementService.describeKey),
        .listKeys: handler(KeyManagementService.listKeys),
        .updateKeyDescription: silent(KeyManagementService.updateKeyDescription),
        .enableKey: silent(KeyManagementService.enableKey),
        .disableKey: silent(KeyManagementService.disableKey),
        .scheduleKeyDeletion: handler(KeyManagementService.scheduleKeyDeletion),
        .cancelKeyDeletion: handler(KeyManagementService.cancelKeyDeletion),
        .replicateKey: handler(KeyManagementService.replicateKey),
        .updatePrimaryRegion: silent(KeyManagementService.updatePrimaryRegion),
        // Key material
        .getParametersForImport: handler(KeyManagementService.getParametersForImport),
        .importKeyMaterial: handler(KeyManagementService.importKeyMaterial),
        .deleteImportedKeyMaterial: handler(KeyManagementService.deleteImportedKeyMaterial),
        .enableKeyRotation: silent(KeyManagementService.enableKeyRotation),
        .disableKeyRotation: silent(KeyManagementService.disableKeyRotation),
        .rotateKeyOnDemand: handler(KeyManagementService.rotateKeyOnDemand),
        .getKeyRotationStatus: handler(KeyManagementService.getKeyRotationStatus),
        .listKeyRotations: handler(KeyManagementService.listKeyRotations),
        .getKeyLastUsage: handler(KeyManagementService.getKeyLastUsage),
        // Key policies
        .putKeyPolicy: silent(KeyManagementService.putKeyPolicy),
        .getKeyPolicy: handler(KeyManagementService.getKeyPolicy),
        .listKeyPolicies: handler(KeyManagementService.listKeyPolicies),
        // Grants
        .createGrant: handler(KeyManagementService.createGrant),
        .listGrants: handler(KeyManagementService.listGrants),
        .listRetirableGrants: handler(KeyManagementService.listRetirableGrants),
        .retireGrant: silent(KeyManagementService.retireGrant),
        .revokeGrant: silent(KeyManagementService.revokeGrant),
        // Aliases
        .createAlias: silent(KeyManagementService.createAlias),
        .updateAlias: silent(KeyManagementService.updateAlias),
        .deleteAlias: silent(KeyManagementService.deleteAlias),
        .listAliases: handler(KeyManagementService.listAliases),
        // Tags
        .tagResource: silent(KeyManagementService.tagResource),
        .untagResource: silent(KeyManagementService.untagResource),
        .listResourceTags: handler(KeyManagementService.listResourceTags),
        // Custom key stores
        .createCustomKeyStore: handler(KeyManagementService.createCustomKeyStore),
        .connectCustomKeyStore: handler(KeyManagementService.connectCustomKeyStore),
        .disconnectCustomKeyStore: handler(KeyManagementService.disconnectCustomKeyStore),
        .describeCustomKeyStores: handler(KeyManagementService.describeCustomKeyStores),
        .updateCustomKeyStore: handler(KeyManagementService.updateCustomKeyStore),
        .deleteCustomKeyStore: handler(KeyManagementService.deleteCustomKeyStore),
    ]

    /// An operation with a response.
    private static func handler<Request: KMSRequest, Response: KMSResponse>(
        _ operation:
            @escaping @Sendable (KeyManagementService) ->
            @Sendable (Request, RequestContext) async throws(KMSError) -> Response
    ) -> Handler {
        { service, body, context throws(KMSError) in
            let request = try decode(Request.self, from: body)
            return try await operation(service)(request, context).encodedBody()
        }
    }

    /// An operation that answers with an empty body.
    private static func silent<Request: KMSRequest>(
        _ operation:
            @escaping @Sendable (KeyManagementService) ->
            @Sendable (Request, RequestContext) async throws(KMSError) -> Void
    ) -> Handler {
        { service, body, context throws(KMSError) in
            let request = try decode(Request.self, from: body)
            try await operation(service)(request, context)
            return []
        }
    }

    private static func decode<Request: KMSRequest>(
        _ request: Request.Type, from body: SecretBytes
    ) throws(KMSError) -> Request {
        try body.withBytes { body throws(KMSError) in try Request.decode(body) }
    }
}
