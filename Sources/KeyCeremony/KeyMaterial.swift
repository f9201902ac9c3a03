internal import Cryptography
public import KMSModel
internal import KeyStores
public import SecureMemory

/// Key material in the form in which the API takes it for a key spec: raw bytes, or PKCS#8 DER (KMS Developer Guide,
/// "Requirements for imported key material").
public struct KeyMaterial: Sendable {
    public let bytes: SecretBytes
    public let keySpec: KeySpec

    /// Takes what a file holds: raw bytes for a symmetric or an HMAC key; for a key pair, the private key in PEM or
    /// DER, as PKCS#8, PKCS#1 or SEC 1.
    ///
    /// - Parameter name: of the file, for errors.
    public init(contents: SecretBytes, for keySpec: KeySpec, name: String) throws(CeremonyError) {
        try Self.requireImportable(keySpec)
        if let count = keySpec.secretByteCount {
            guard contents.count == count else {
                throw CeremonyError(
                    "\(name) holds \(contents.count) bytes, and the material of a \(keySpec.rawValue) key is "
                        + "\(count) raw bytes")
            }
            bytes = contents
        } else {
            let der = try PEM.privateKey(in: contents, name: name) ?? contents
            bytes = try Self.privateKey(keySpec, name) { kind throws(CryptographyError) in
                try PrivateKey(importedDER: der, kind: kind)
            }
        }
        self.keySpec = keySpec
    }

    /// Makes new material.
    public static func generate(_ keySpec: KeySpec) throws(CeremonyError) -> KeyMaterial {
        try requireImportable(keySpec)
        guard let count = keySpec.secretByteCount else {
            let bytes = try privateKey(keySpec, "the new key") { kind throws(CryptographyError) in
                try PrivateKey.generate(kind)
            }
            return KeyMaterial(bytes: bytes, keySpec: keySpec)
        }
        do throws(CryptographyError) {
            return KeyMaterial(bytes: try SystemRandom.secret(count), keySpec: keySpec)
        } catch {
            throw CeremonyError("no key material could be made: \(error.reason)")
        }
    }

    private init(bytes: SecretBytes, keySpec: KeySpec) {
        self.bytes = bytes
        self.keySpec = keySpec
    }

    static func requireImportable(_ keySpec: KeySpec) throws(CeremonyError) {
        if let refusal = keySpec.importRefusal { throw CeremonyError(refusal) }
    }

    /// Our own encoding of the key that `make` parses or makes: PKCS#8, a curve by its name.
    private static func privateKey(
        _ keySpec: KeySpec, _ name: String, _ make: (AsymmetricKeyKind) throws(CryptographyError) -> PrivateKey
    ) throws(CeremonyError) -> SecretBytes {
        guard let kind = keySpec.keyPairKind else { throw CeremonyError("\(keySpec.rawValue) is no key pair") }
        do throws(CryptographyError) {
            return try make(kind).pkcs8()
        } catch {
            throw CeremonyError("\(name) cannot be the material of a \(keySpec.rawValue) key: \(error.reason)")
        }
    }
}

extension KeySpec {
    /// How many bytes the material of a symmetric or an HMAC key has; nil for key pairs.
    var secretByteCount: Int? {
        switch materialForm {
        case .symmetric: AES256GCM.keyByteCount
        case .mac(let algorithm): algorithm.byteCount
        case .keyPair: nil
        }
    }
}
