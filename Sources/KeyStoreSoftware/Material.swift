internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import SecureMemory

/// The material of one backing key, unsealed.
enum Material: Sendable {
    case symmetric(SecretBytes)
    case mac(SecretBytes, MessageAuthentication)
    case keyPair(PrivateKey)

    /// New material.
    static func generate(_ form: MaterialForm) throws(CryptographyError) -> Material {
        switch form {
        case .symmetric: .symmetric(try SystemRandom.secret(AES256GCM.keyByteCount))
        case .mac(let algorithm): .mac(try SystemRandom.secret(algorithm.byteCount), algorithm)
        case .keyPair(let kind): .keyPair(try PrivateKey.generate(kind))
        }
    }

    /// Material from the bytes of `encoded`.
    ///
    /// Errors: `invalidLength`, `invalidKey`, `unsupportedAlgorithm`.
    init(encoded: SecretBytes, _ form: MaterialForm) throws(CryptographyError) {
        switch form {
        case .symmetric:
            try Self.require(AES256GCM.keyByteCount, encoded)
            self = .symmetric(encoded)
        case .mac(let algorithm):
            try Self.require(algorithm.byteCount, encoded)
            self = .mac(encoded, algorithm)
        case .keyPair(let kind):
            self = .keyPair(try PrivateKey(pkcs8: encoded, kind: kind))
        }
    }

    /// Material from outside, checked. Lengths are told: whoever wrapped the material knows them.
    ///
    /// Errors: `invalidLength`, `invalidKey`, `unsupportedAlgorithm`.
    init(imported material: SecretBytes, _ form: MaterialForm) throws(CryptographyError) {
        switch form {
        case .symmetric, .mac: try self.init(encoded: material, form)
        case .keyPair(let kind): self = .keyPair(try PrivateKey(imported: material, kind: kind))
        }
    }

    /// What is sealed: the key itself, or PKCS#8 DER.
    var encoded: SecretBytes {
        get throws(CryptographyError) {
            switch self {
            case .symmetric(let key), .mac(let key, _): key
            case .keyPair(let key): try key.pkcs8()
            }
        }
    }

    /// DER SubjectPublicKeyInfo; nil unless a key pair.
    var publicKey: [UInt8]? {
        guard case .keyPair(let key) = self else { return nil }
        return key.publicKey.spki
    }

    private static func require(_ byteCount: Int, _ material: SecretBytes) throws(CryptographyError) {
        guard material.count != byteCount else { return }
        throw CryptographyError(.invalidLength, "the material has \(material.count) bytes instead of \(byteCount)")
    }
}

/// How material stands in the reference of a backing key, sealed under the root key.
///
/// Version 1 is symmetric material, bound to the backing key and the KMS key. Version 2, all other material, is bound
/// to the key spec too: bytes that are an AES key can be an HMAC key as well.
enum MaterialReference {
    private static let symmetricVersion: UInt8 = 1
    private static let boundVersion: UInt8 = 2
    private static let sealingPurpose = "backing-key"

    static func seal(
        _ material: Material, id: BackingKeyID, keySpec: KeySpec, kmsKeyID: String, under rootKey: RootKey
    ) throws(CryptographyError) -> [UInt8] {
        let version = version(of: keySpec)
        let sealed = try rootKey.seal(
            material.encoded, purpose: sealingPurpose,
            associatedData: associatedData(version, id: id, keySpec: keySpec, kmsKeyID: kmsKeyID))
        return [version] + sealed
    }

    /// Errors: `keyNotFound` for a reference of no known version; `internalFailure` for anything that does not unseal
    /// or does not belong to the key's public part.
    static func open(_ key: BackingKey, under rootKey: RootKey) throws(KeyStoreError) -> Material {
        let version = version(of: key.keySpec)
        guard key.reference.first == version else {
            throw KeyStoreError(
                .keyNotFound, "backing key \(key.id) has no reference of a version known for \(key.keySpec.rawValue)")
        }
        let material: Material
        do {
            let encoded = try rootKey.open(
                Array(key.reference.dropFirst()), purpose: sealingPurpose,
                associatedData: associatedData(
                    version, id: key.id, keySpec: key.keySpec, kmsKeyID: key.kmsKeyID))
            material = try Material(encoded: encoded, key.keySpec.materialForm)
        } catch  where error.code == .authenticationFailure {
            throw KeyStoreError(
                .internalFailure,
                "backing key \(key.id) does not unseal: its record was changed, or the root key is another one")
        } catch  where error.code == .unsupportedAlgorithm {
            throw KeyStoreError(.unsupportedAlgorithm, error.reason)
        } catch {
            throw KeyStoreError(.internalFailure, "backing key \(key.id) does not unseal: \(error)")
        }
        guard material.publicKey == key.publicKey else {
            throw KeyStoreError(.internalFailure, "the public key of backing key \(key.id) is another one's")
        }
        return material
    }

    private static func version(of keySpec: KeySpec) -> UInt8 {
        keySpec == .symmetricDefault ? symmetricVersion : boundVersion
    }

    /// Version, backing key id (fixed length), from version 2 on the key spec with its length, and KMS key id (the
    /// rest): one reading only.
    private static func associatedData(
        _ version: UInt8, id: BackingKeyID, keySpec: KeySpec, kmsKeyID: String
    ) -> [UInt8] {
        let name = Array(keySpec.rawValue.utf8)
        let spec = version == symmetricVersion ? [] : [UInt8(truncatingIfNeeded: name.count)] + name
        return [version] + id.bytes + spec + Array(kmsKeyID.utf8)
    }
}
