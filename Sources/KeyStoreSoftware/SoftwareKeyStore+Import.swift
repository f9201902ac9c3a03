internal import Cryptography
public import KMSModel
public import KeyStores
internal import SecureMemory

// Key material from outside.
extension SoftwareKeyStore {
    public func refusal(ofImporting keySpec: KeySpec, usage: KeyUsageType) -> String? {
        keySpec.importRefusal ?? refusal(of: keySpec, usage: usage)
    }

    public func refusal(ofWrapping algorithm: AlgorithmSpec, _ wrappingKeySpec: WrappingKeySpec) -> String? {
        if let reason = algorithm.refusal(with: wrappingKeySpec) { return reason }
        guard let scheme = algorithm.scheme else { return nil }
        return AlgorithmAvailability.current.refusal(
            of: .encryption(scheme.blockScheme), for: wrappingKeySpec.keyPairKind)
    }

    public func makeWrappingKey(_ request: WrappingKeyGeneration) async throws(KeyStoreError) -> WrappingKey {
        if let reason = refusal(ofWrapping: request.wrappingAlgorithm, request.wrappingKeySpec) {
            throw KeyStoreError(.unsupportedAlgorithm, reason)
        }
        let rootKey = rootKey
        let made = try await Self.run(on: makers) {
            Result { () throws(CryptographyError) in
                let key = try PrivateKey.generate(request.wrappingKeySpec.keyPairKind)
                return try WrappingKeyReference.seal(key, request, under: rootKey)
            }
        }
        do {
            return try made.get()
        } catch {
            throw KeyStoreError(.internalFailure, "cannot make a wrapping key: \(error)")
        }
    }

    public func importKey(_ request: KeyImport) async throws(KeyStoreError) -> ImportedKey {
        let wrappingKey = request.wrappingKey
        if let reason = refusal(ofImporting: request.key.keySpec, usage: request.key.keyUsage)
            ?? refusal(ofWrapping: wrappingKey.wrappingAlgorithm, wrappingKey.wrappingKeySpec)
        {
            throw KeyStoreError(.unsupportedAlgorithm, reason)
        }
        let rootKey = rootKey
        // The test of an RSA key's primes takes as long as making one.
        let pool = request.key.keySpec.keyPairKind?.family == .rsa ? makers : workers
        let backingKey = try await Self.run(on: pool) {
            Result { () throws(KeyStoreError) in try Self.backingKey(request, under: rootKey) }
        }
        let path = "\(wrappingKey.wrappingAlgorithm.rawValue) by libcrypto, sealed under the root key"
        return ImportedKey(
            backingKey: try backingKey.get(), path: ImportPath(description: path, exposesMaterialToHost: true))
    }

    private static func backingKey(_ request: KeyImport, under rootKey: RootKey) throws(KeyStoreError) -> BackingKey {
        let key = request.key
        let material = try material(request, under: rootKey)
        do throws(CryptographyError) {
            let reference = try MaterialReference.seal(
                material, id: key.id, keySpec: key.keySpec, kmsKeyID: key.kmsKeyID, under: rootKey)
            return BackingKey(
                id: key.id, keySpec: key.keySpec, kmsKeyID: key.kmsKeyID, reference: reference,
                publicKey: material.publicKey)
        } catch {
            throw KeyStoreError(.internalFailure, "cannot keep the imported material: \(error)")
        }
    }

    private static func material(_ request: KeyImport, under rootKey: RootKey) throws(KeyStoreError) -> Material {
        let wrappingKey = request.wrappingKey
        guard wrappingKey.kmsKeyID == request.key.kmsKeyID, let scheme = wrappingKey.wrappingAlgorithm.scheme else {
            throw KeyStoreError(.internalFailure, "the wrapping key is another KMS key's")
        }
        let privateKey = try WrappingKeyReference.open(wrappingKey, under: rootKey)
        let wrapped = request.wrappedMaterial
        do throws(CryptographyError) {
            let material = try privateKey.unwrap(wrapped.span, scheme)
            return try Material(imported: material, request.key.keySpec.materialForm)
        } catch {
            switch error.code {
            case .authenticationFailure: throw KeyStoreError(.invalidCiphertext, "the material does not unwrap")
            case .invalidLength, .invalidKey: throw KeyStoreError(.incorrectMaterial, error.reason)
            case .unsupportedAlgorithm: throw KeyStoreError(.unsupportedAlgorithm, error.reason)
            case .failure: throw KeyStoreError(.internalFailure, "cannot unwrap: \(error)")
            }
        }
    }
}

/// How the private half of a wrapping key stands in its reference: `version (1 byte) ‖ sealed PKCS#8`, bound to all
/// that the key is for.
enum WrappingKeyReference {
    private static let version: UInt8 = 1
    private static let sealingPurpose = "wrapping-key"

    static func seal(
        _ key: PrivateKey, _ request: WrappingKeyGeneration, under rootKey: RootKey
    ) throws(CryptographyError) -> WrappingKey {
        func wrappingKey(_ reference: [UInt8]) -> WrappingKey {
            WrappingKey(
                id: request.id, wrappingKeySpec: request.wrappingKeySpec,
                wrappingAlgorithm: request.wrappingAlgorithm, kmsKeyID: request.kmsKeyID, reference: reference,
                publicKey: key.publicKey.spki)
        }
        let sealed = try rootKey.seal(
            key.pkcs8(), purpose: sealingPurpose, associatedData: associatedData(wrappingKey([])))
        return wrappingKey([version] + sealed)
    }

    /// Errors: `keyNotFound` for a reference of no known version; `internalFailure` for anything that does not unseal
    /// or does not belong to the public key.
    static func open(_ key: WrappingKey, under rootKey: RootKey) throws(KeyStoreError) -> PrivateKey {
        guard key.reference.first == version else {
            throw KeyStoreError(.keyNotFound, "wrapping key \(key.id) has no reference of a known version")
        }
        let privateKey: PrivateKey
        do {
            let encoded = try rootKey.open(
                Array(key.reference.dropFirst()), purpose: sealingPurpose, associatedData: associatedData(key))
            privateKey = try PrivateKey(pkcs8: encoded, kind: key.wrappingKeySpec.keyPairKind)
        } catch {
            throw KeyStoreError(
                .internalFailure,
                "wrapping key \(key.id) does not unseal: its record was changed, or the root key is another one")
        }
        guard privateKey.publicKey.spki == key.publicKey else {
            throw KeyStoreError(.internalFailure, "the public key of wrapping key \(key.id) is another one's")
        }
        return privateKey
    }

    /// Version, id (fixed length), the two names with their lengths, and KMS key id (the rest): one reading only.
    private static func associatedData(_ key: WrappingKey) -> [UInt8] {
        let names = [key.wrappingKeySpec.rawValue, key.wrappingAlgorithm.rawValue].flatMap { name in
            [UInt8(truncatingIfNeeded: name.utf8.count)] + Array(name.utf8)
        }
        return [version] + key.id.bytes + names + Array(key.kmsKeyID.utf8)
    }
}
