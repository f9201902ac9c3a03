internal import Cryptography
public import Foundation
public import KMSModel
internal import KeyStores
internal import PKCS11
public import SecureMemory

/// An extractable key on a PKCS#11 token. It leaves the token wrapped for the service, by the token: its plaintext is
/// not in the memory of this machine, unless the token cannot do it and the caller allows it.
public struct TokenKey: Sendable {
    public let name: TokenKeyName
    public let keySpec: KeySpec
    public let abilities: TokenAbilities
    private let pin: SecretBytes
    private let allowsHostMemory: Bool

    /// Looks at the key and tries out the token.
    ///
    /// Errors: a sentence when there is no such key, it may not leave the token, or it is no material for `keySpec`.
    public init(
        _ name: TokenKeyName, pin: SecretBytes, for keySpec: KeySpec, allowsHostMemory: Bool = false
    ) throws(CeremonyError) {
        try KeyMaterial.requireImportable(keySpec)
        abilities = try name.withKey(pin: pin) { session, key throws(CeremonyError) in
            try Self.check(key, &session, name.tokenLabel, keySpec)
            do throws(CryptographyError) {
                return try TokenAbilities(&session)
            } catch {
                throw CeremonyError("the token \(name.tokenLabel) could not be tried out: \(error.reason)")
            }
        }
        guard abilities.preferredHash != nil else {
            throw CeremonyError("the token \(name.tokenLabel) cannot wrap keys with RSA-OAEP, the only way into KMS")
        }
        self.name = name
        self.pin = pin
        self.allowsHostMemory = allowsHostMemory
        self.keySpec = keySpec
    }

    /// What is taken unless somebody wants another: SHA-256 where the token has it.
    public var defaultAlgorithm: AlgorithmSpec {
        WrappingChoice.defaultAlgorithm(for: keySpec, hash: abilities.preferredHash ?? .sha256)
    }

    /// Whether plaintext material will be in the memory of this machine.
    ///
    /// Errors: a sentence when the token cannot wrap this way.
    public func exposesMaterialToHost(_ algorithm: AlgorithmSpec) throws(CeremonyError) -> Bool {
        try wrapping(algorithm).exposesMaterialToHost
    }

    /// Wraps the key with the public key of the service.
    public func wrapped(with parameters: ImportParameters, at time: Date = Date()) throws(CeremonyError) -> [UInt8] {
        let publicKey = try parameters.checkedPublicKey(at: time)
        guard parameters.keySpec == keySpec else {
            throw CeremonyError("the import parameters are for a \(parameters.keySpec.rawValue) key")
        }
        let wrapping = try wrapping(parameters.wrappingAlgorithm)
        return try name.withKey(pin: pin) { session, key throws(CeremonyError) in
            guard let wrapped = try wrapping.wrap(key, in: &session, name.tokenLabel, for: parameters, publicKey)
            else { throw CeremonyError("the token \(name.tokenLabel) gave something that is no wrapped key") }
            return wrapped
        }
    }

    private func wrapping(_ algorithm: AlgorithmSpec) throws(CeremonyError) -> TokenWrapping {
        try TokenWrapping(
            algorithm, keySpec, abilities, token: name.tokenLabel, allowsHostMemory: allowsHostMemory)
    }

    /// What can be told before the service sees the key.
    private static func check(
        _ key: ObjectHandle, _ session: inout Session, _ token: String, _ keySpec: KeySpec
    ) throws(CeremonyError) {
        let values: AttributeValues
        do throws(PKCS11Error) {
            values = try session.attributes(
                of: key, [.objectClass, .keyType, .extractable, .valueLength, .modulus])
        } catch {
            throw CeremonyError(error, token)
        }
        // Not left to C_WrapKey: NSS softoken wraps keys that are not extractable.
        guard values.flag(.extractable) == true else {
            throw CeremonyError("the key on the token \(token) is not extractable: it may not leave the token")
        }
        func mismatch(_ what: String) -> CeremonyError {
            CeremonyError("the key on the token \(token) is \(what), no material for a \(keySpec.rawValue) key")
        }
        let objectClass = values.number(.objectClass).map { ObjectClass(rawValue: $0) }
        guard let kind = keySpec.keyPairKind else {
            guard objectClass == .secretKey else { throw mismatch("not a secret key") }
            let count = values.number(.valueLength)
            guard count == keySpec.secretByteCount.map({ UInt($0) }) else {
                throw mismatch("\(count.map { "\($0) bytes" } ?? "of unknown length")")
            }
            return
        }
        guard objectClass == .privateKey else { throw mismatch("not a private key") }
        let keyType = values.number(.keyType).map { KeyType(rawValue: $0) }
        switch kind.family {
        case .rsa:
            let modulus = values.bytes(.modulus)?.drop { $0 == 0 }
            guard keyType == .rsa, modulus?.count == kind.modulusByteCount else {
                throw mismatch(keyType == .rsa ? "RSA of another size" : "not RSA")
            }
        case .ellipticCurve:
            // Which curve it is, the service sees, and refuses another one before anything changes.
            guard keyType == .ec else { throw mismatch("not on a curve") }
        case .ed25519, .sm2, .mlDSA, .mlKEM:
            throw mismatch("of a kind that tokens do not export")
        }
    }
}
