import Cryptography
import KMSModel
import KMSPolicy
import KeyStores
import SecureMemory

/// A ciphertext as the API has it: our blob, or what an asymmetric key's algorithm made.
enum Ciphertext {
    case blob(CiphertextBlob)
    case asymmetric([UInt8], EncryptionAlgorithmSpec)

    var algorithm: EncryptionAlgorithmSpec {
        switch self {
        case .blob: .symmetricDefault
        case .asymmetric(_, let algorithm): algorithm
        }
    }

    /// The KeyMaterialId of an answer: of symmetric keys only, and not in custom key stores.
    func materialID(shownFor key: KMSKey) -> Text? {
        guard case .blob(let blob) = self, key.showsMaterialIDs else { return nil }
        return Text(blob.materialID.lowercaseHexadecimal)
    }
}

// Encrypt, Decrypt and ReEncrypt for symmetric and asymmetric keys alike.
extension KeyManagementService {
    /// State, usage, algorithm, context and size for encryption. The algorithm is SYMMETRIC_DEFAULT if the request
    /// names none, whatever the key is (KMS API: Encrypt, EncryptionAlgorithm).
    ///
    /// - Parameter context: the canonical bytes of the encryption context.
    func checkEncryption(
        _ plaintextByteCount: Int, context: [UInt8], with key: KMSKey, _ algorithm: EncryptionAlgorithmSpec,
        for operation: KMSOperation
    ) throws(KMSError) {
        try check(key, .encryptDecrypt, .encryption(algorithm), for: operation)
        try Self.checkContext(context, algorithm)
        if let kind = key.keySpec.keyPairKind,
            let limit = algorithm.scheme?.maximumPlaintextByteCount(for: kind), plaintextByteCount > limit
        {
            throw .plaintextTooLong(algorithm, key.keySpec, limit: limit)
        }
    }

    /// KMS API: EncryptionContext. Only symmetric encryption authenticates one; elsewhere it would be ignored. The text
    /// is not known from AWS.
    private static func checkContext(
        _ context: [UInt8], _ algorithm: EncryptionAlgorithmSpec
    ) throws(KMSError) {
        guard !context.isEmpty, algorithm != .symmetricDefault else { return }
        throw .validation("EncryptionContext is valid only for symmetric encryption KMS keys.")
    }

    func encrypt(
        _ plaintext: SecretBytes, _ algorithm: EncryptionAlgorithmSpec, context: [UInt8], with key: KMSKey
    ) async throws(KMSError) -> [UInt8] {
        guard let scheme = algorithm.scheme else {
            return try await encrypt(plaintext, context: context, with: key)
        }
        return try await withPublicKey(of: key) { publicKey throws(CryptographyError) in
            try plaintext.withBytes { bytes throws(CryptographyError) in try publicKey.encrypt(bytes, scheme) }
        }
    }

    func decrypt(
        _ ciphertext: Ciphertext, context: [UInt8], with key: KMSKey
    ) async throws(KMSError) -> SecretBytes {
        switch ciphertext {
        case .blob(let blob):
            return try await decrypt(blob, context: context, with: key)
        case .asymmetric(let bytes, let algorithm):
            try Self.checkContext(context, algorithm)
            let (material, keyStore) = try material(of: key)
            do {
                return try await keyStore.decrypt(bytes, algorithm: algorithm, with: material.backingKey)
            } catch {
                throw answer(error, .decrypt, key)
            }
        }
    }

    /// Finds, authorizes and checks the key of a ciphertext.
    ///
    /// `identifier` is the KeyId of the request, if there was one. KMS API, Decrypt: it must be the key that encrypted,
    /// else IncorrectKeyException; without it the key is found in the blob, and a caller who may not use that key
    /// learns no more than AccessDeniedException. Ciphertexts of asymmetric keys name no key.
    func resolveCiphertext(
        _ bytes: [UInt8], identifier: Text?, algorithm: EncryptionAlgorithmSpec?, for operation: KMSOperation,
        action: KeyAction? = nil, facts: RequestFacts, grantTokens: [Text]?, _ context: RequestContext
    ) throws(KMSError) -> (Ciphertext, KMSKey) {
        let algorithm = algorithm ?? .symmetricDefault
        guard let identifier else {
            guard let blob = CiphertextBlob(bytes) else { throw .invalidCiphertext() }
            try check(grantTokens: grantTokens, context)
            let key = try authorizeKey(of: blob, action ?? KeyAction.of(operation), facts, context)
            try check(key, .encryptDecrypt, .encryption(algorithm), for: operation)
            return (.blob(blob), key)
        }
        let key = try resolve(
            identifier, forms: .keysAndAliases, for: operation, action: action, facts: facts,
            grantTokens: grantTokens, context)
        try checkState(.cryptographic, of: key)
        // AWS reports a key of another kind as the incorrect key, not as a wrong usage.
        guard key.keyUsage == .encryptDecrypt else { throw .wrongKey }
        try check(key, .encryptDecrypt, .encryption(algorithm), for: operation)
        guard algorithm == .symmetricDefault else { return (.asymmetric(bytes, algorithm), key) }
        guard let blob = CiphertextBlob(bytes) else { throw .invalidCiphertext() }
        guard key.id == blob.keyID else { throw .wrongKey }
        return (.blob(blob), key)
    }

    /// The key that a ciphertext names, in whichever account it is.
    private func authorizeKey(
        of blob: CiphertextBlob, _ action: KeyAction, _ facts: RequestFacts, _ context: RequestContext
    ) throws(KMSError) -> KMSKey {
        let target = metadata.read { directory in
            directory.key(blob.keyID, inRegionOf: context.scope).map { key in
                directory.target(keyID: key.id, in: key.scope, action, facts, caller: context.caller)
            }
        }
        if let key = target?.key { context.trail.note(key) }
        guard let target, let key = target.key, decide(action, target, facts, context).isAllowed else {
            throw .ciphertextAccessDenied(context.caller.arn, action.action)
        }
        return key
    }
}

extension KMSError {
    /// AWS's text, recorded.
    fileprivate static func plaintextTooLong(
        _ algorithm: EncryptionAlgorithmSpec, _ keySpec: KeySpec, limit: Int
    ) -> Self {
        .validation(
            "Algorithm \(algorithm.rawValue) and key spec \(keySpec.rawValue) cannot encrypt data larger than "
                + "\(limit) bytes.")
    }
}
