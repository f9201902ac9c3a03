import Cryptography
public import KMSModel
import KMSPolicy
import KeyStores
import SecureMemory

// Signatures (KMS API: Sign, Verify).
extension KeyManagementService {
    /// KMS API: Sign.
    public func sign(_ request: SignRequest, _ context: RequestContext) async throws(KMSError) -> SignResponse {
        let facts = RequestFacts().with(.signingAlgorithm, Text(request.signingAlgorithm.rawValue))
            .with(.messageType, request.messageType.map { Text($0.rawValue) })
        let key = try resolve(
            request.keyId, forms: .keysAndAliases, for: .sign, facts: facts, grantTokens: request.grantTokens, context)
        try check(key, .signVerify, .signing(request.signingAlgorithm), for: .sign)
        let input = try SigningInput(request.message, request.messageType, request.signingAlgorithm)
        try endDryRun(request.dryRun, beforeUsing: key)
        let (material, keyStore) = try material(of: key)
        do {
            let signature = try await keyStore.sign(
                input, algorithm: request.signingAlgorithm, with: material.backingKey)
            return SignResponse(
                keyId: Text(key.arn), signature: signature, signingAlgorithm: request.signingAlgorithm)
        } catch {
            throw answer(error, .sign, key)
        }
    }

    /// KMS API: Verify. A signature that does not verify is an error without message, never `false`.
    public func verify(_ request: VerifyRequest, _ context: RequestContext) async throws(KMSError) -> VerifyResponse {
        let facts = RequestFacts().with(.signingAlgorithm, Text(request.signingAlgorithm.rawValue))
            .with(.messageType, request.messageType.map { Text($0.rawValue) })
        let key = try resolve(
            request.keyId, forms: .keysAndAliases, for: .verify, facts: facts, grantTokens: request.grantTokens,
            context)
        try check(key, .signVerify, .signing(request.signingAlgorithm), for: .verify)
        let input = try SigningInput(request.message, request.messageType, request.signingAlgorithm)
        let (bytes, form) = input.content
        let (signature, scheme) = (request.signature, request.signingAlgorithm.scheme)
        let isValid = try await withPublicKey(of: key) { publicKey throws(CryptographyError) in
            try publicKey.isValid(signature: signature.span, of: bytes.span, as: form, scheme)
        }
        guard isValid else { throw .kmsInvalidSignature() }
        try endDryRun(request.dryRun)
        return VerifyResponse(
            keyId: Text(key.arn), signatureValid: true, signingAlgorithm: request.signingAlgorithm)
    }
}

extension SigningInput {
    /// What the MessageType of a request makes of its message (KMS API: Sign, MessageType). RAW when there is none.
    ///
    /// Errors: ValidationException for a type that does not go with the algorithm (code not known from AWS) and for a
    /// digest or message representative of another length.
    init(
        _ message: SecretBytes, _ type: MessageType?, _ algorithm: SigningAlgorithmSpec
    ) throws(KMSError) {
        let bytes = message.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        switch (type ?? .raw, algorithm) {
        case (.raw, .ed25519PhSha512):
            throw .messageType(.raw, algorithm)
        case (.raw, _):
            self = .message(bytes)
        // Ed25519ph hashes the 64 bytes that it is given once more (KMS API: Sign, MessageType).
        case (.digest, .ed25519PhSha512):
            try Self.check(bytes.count, HashFunction.sha512.byteCount, algorithm)
            self = .message(bytes)
        case (.digest, _):
            guard let hash = algorithm.scheme.digest else { throw .messageType(.digest, algorithm) }
            try Self.check(bytes.count, hash.byteCount, algorithm)
            self = .digest(bytes)
        case (.externalMu, .mlDsaShake256):
            try Self.check(bytes.count, 64, algorithm)
            self = .externalMu(bytes)
        case (.externalMu, _):
            throw .messageType(.externalMu, algorithm)
        }
    }

    private static func check(
        _ count: Int, _ expected: Int, _ algorithm: SigningAlgorithmSpec
    ) throws(KMSError) {
        guard count == expected else {
            throw .validation("Digest is invalid length for algorithm \(algorithm.rawValue).")
        }
    }
}

extension KMSError {
    /// The text is not known from AWS.
    fileprivate static func messageType(_ type: MessageType, _ algorithm: SigningAlgorithmSpec) -> Self {
        .validation("MessageType \(type.rawValue) is not valid for algorithm \(algorithm.rawValue).")
    }
}
