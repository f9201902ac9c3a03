public import KMSModel
import KMSPolicy
import KeyStores
import SecureMemory

extension KeyManagementService {
    /// A wrapping key takes one of a token's few object slots. The oldest one of a KMS key, or of a key store, gives
    /// way to a new one: refusing instead would let one caller keep all others from importing for a day.
    static let importParametersPerKey = 5
    static let importParametersPerKeyStore = 100

    /// KMS API: GetParametersForImport. A new wrapping key each time, made where the key material will be.
    public func getParametersForImport(
        _ request: GetParametersForImportRequest, _ context: RequestContext
    ) async throws(KMSError) -> GetParametersForImportResponse {
        let facts = RequestFacts()
            .with(.wrappingAlgorithm, Text(request.wrappingAlgorithm.rawValue))
            .with(.wrappingKeySpec, Text(request.wrappingKeySpec.rawValue))
        let key = try resolve(request.keyId, forms: .keys, for: .getParametersForImport, facts: facts, context)
        try key.requireOrigin(.external)
        try checkState(.getImportParameters, of: key)
        try Self.check(request.wrappingAlgorithm, request.wrappingKeySpec, for: key, context)
        let keyStore = try registry.keyStore(of: key)
        if let reason = keyStore.refusal(ofWrapping: request.wrappingAlgorithm, request.wrappingKeySpec) {
            throw .unsupportedOperation(
                "\(request.wrappingAlgorithm.rawValue) with \(request.wrappingKeySpec.rawValue) is not supported here: "
                    + reason)
        }
        let parameters = try await makeImportParameters(request, key, keyStore, facts, context)
        await finishIntents(of: key)
        return GetParametersForImportResponse(
            importToken: try ImportToken(parameters).bytes(serverSecret), keyId: Text(key.arn),
            parametersValidTo: parameters.expirationDate,
            publicKey: SecretBytes(copying: parameters.wrappingKey.publicKey.span))
    }

    private func makeImportParameters(
        _ request: GetParametersForImportRequest, _ key: KMSKey, _ keyStore: any KeyStore, _ facts: RequestFacts,
        _ context: RequestContext
    ) async throws(KMSError) -> ImportParameters {
        let placement = key.placement
        return try await withIntent(at: placement, in: keyStore, keyARN: key.arn) { id throws(KMSError) in
            do throws(KeyStoreError) {
                return try await keyStore.makeWrappingKey(
                    WrappingKeyGeneration(
                        id: id, wrappingKeySpec: request.wrappingKeySpec,
                        wrappingAlgorithm: request.wrappingAlgorithm, kmsKeyID: key.id, label: key.arn))
            } catch {
                throw self.answer(error, .prepareImport, key)
            }
        } commit: { id, wrappingKey throws(KMSError) in
            let now = self.clock.now
            let parameters = ImportParameters(
                wrappingKey: wrappingKey, placement: placement, scope: key.scope, creationDate: now,
                expirationDate: now + ImportToken.lifetimeSeconds)
            return try await self.change(request.keyId, for: .getParametersForImport, facts: facts, context) {
                key, directory, changes throws(KMSError) -> ImportParameters in
                try self.checkState(.getImportParameters, of: key)
                for surplus in Self.surplus(at: placement, for: key, in: directory) {
                    changes += Self.removal(of: surplus, now)
                }
                changes.append(.putImportParameters(parameters))
                changes.append(.deleteIntent(id))
                return parameters
            }
        }
    }

    /// The parameters go, and a tombstone for their wrapping key comes.
    static func removal(of parameters: ImportParameters, _ now: Timestamp) -> [MetadataChange] {
        [
            .deleteImportParameters(parameters.wrappingKey.id),
            Intent.destruction(
                of: parameters.wrappingKey.id, at: parameters.placement,
                keyARN: parameters.scope.keyARN(parameters.wrappingKey.kmsKeyID), now),
        ]
    }

    /// What gives way to one more.
    private static func surplus(
        at placement: Placement, for key: KMSKey, in directory: borrowing Directory
    ) -> ArraySlice<ImportParameters> {
        let own = directory.importParameters(for: key).dropLast(importParametersPerKey - 1)
        guard own.isEmpty else { return own }
        return directory.importParameters.values.filter { $0.placement == placement }
            .sorted { $0.creationDate < $1.creationDate }.dropLast(importParametersPerKeyStore - 1)
    }

    // MARK: What wraps what

    /// KMS API, GetParametersForImport, WrappingAlgorithm: which algorithm wraps which key material under which
    /// wrapping key. The codes and texts are not known from AWS.
    private static func check(
        _ algorithm: AlgorithmSpec, _ wrappingKeySpec: WrappingKeySpec, for key: KMSKey, _ context: RequestContext
    ) throws(KMSError) {
        switch algorithm {
        case .rsaesPkcs1V15:
            throw .unsupportedOperation(
                "The wrapping algorithm RSAES_PKCS1_V1_5 is not supported since October 10, 2023.")
        case .sm2pke:
            guard wrappingKeySpec == .sm2, context.region.hasPrefix("cn-") else {
                throw .validation("SM2PKE needs the wrapping key spec SM2, and both are for China Regions only.")
            }
        case .rsaesOaepSha1, .rsaesOaepSha256, .rsaAesKeyWrapSha1, .rsaAesKeyWrapSha256:
            guard wrappingKeySpec != .sm2 else {
                throw .validation("\(algorithm.rawValue) needs an RSA wrapping key spec, not SM2.")
            }
            // KMS Developer Guide, "Importing key material step 3": RSA_AES_KEY_WRAP_* is not supported in China
            // Regions.
            let isKeyWrap = algorithm == .rsaAesKeyWrapSha1 || algorithm == .rsaAesKeyWrapSha256
            guard !isKeyWrap || !context.region.hasPrefix("cn-") else {
                throw .unsupportedOperation("\(algorithm.rawValue) is not supported in China Regions: take SM2PKE.")
            }
        }
        guard algorithm == .rsaesOaepSha1 || algorithm == .rsaesOaepSha256 else { return }
        switch key.keySpec {
        case .rsa2048, .rsa3072, .rsa4096:
            throw .unsupportedOperation(
                "\(algorithm.rawValue) cannot wrap RSA private keys: use RSA_AES_KEY_WRAP_SHA_256 or "
                    + "RSA_AES_KEY_WRAP_SHA_1.")
        case .eccNistP521 where wrappingKeySpec == .rsa2048:
            throw .unsupportedOperation("\(algorithm.rawValue) with RSA_2048 cannot wrap ECC_NIST_P521 private keys.")
        default: return
        }
    }
}

extension KMSKey {
    /// AWS's answer for keys of another origin, recorded.
    func requireOrigin(_ needed: OriginType) throws(KMSError) {
        guard origin == needed else {
            throw .unsupportedOperation("\(arn) origin is \(origin.rawValue) which is not valid for this operation.")
        }
    }
}
