public import Cryptography
public import Foundation
public import KMSModel
internal import KeyStores

/// What GetParametersForImport gave, and what it was asked: all that is needed to wrap key material. Nothing in it is
/// secret, but whoever changes the public key gets the key material: compare `fingerprint` on both sides of a gap.
public struct ImportParameters: Codable, Sendable {
    static let currentFormat = "strongroom import parameters 1"

    private let format: String
    public let keyArn: String
    public let keySpec: KeySpec
    public let wrappingAlgorithm: AlgorithmSpec
    public let wrappingKeySpec: WrappingKeySpec
    /// DER SubjectPublicKeyInfo.
    public let publicKey: Data
    public let importToken: Data
    public let validTo: Date

    public init(
        keyArn: String, keySpec: KeySpec, wrappingAlgorithm: AlgorithmSpec, wrappingKeySpec: WrappingKeySpec,
        publicKey: Data, importToken: Data, validTo: Date
    ) {
        format = Self.currentFormat
        self.keyArn = keyArn
        self.keySpec = keySpec
        self.wrappingAlgorithm = wrappingAlgorithm
        self.wrappingKeySpec = wrappingKeySpec
        self.publicKey = publicKey
        self.importToken = importToken
        self.validTo = validTo
    }

    /// SHA-256 of the public key, for people who compare it.
    public var fingerprint: String {
        get throws(CeremonyError) { try CeremonyFile.fingerprint(publicKey) }
    }

    /// The public key, checked: it is RSA of the size that was asked for, and in its canonical form.
    public func checkedPublicKey(at time: Date) throws(CeremonyError) -> PublicKey {
        guard time < validTo else {
            throw CeremonyError(
                "the import parameters were valid until \(CeremonyFile.text(validTo)), and it is "
                    + "\(CeremonyFile.text(time)) by the clock of this machine; get new ones")
        }
        try WrappingChoice.check(wrappingAlgorithm, wrappingKeySpec, for: keySpec)
        do throws(CryptographyError) {
            return try PublicKey(spki: [UInt8](publicKey), kind: wrappingKeySpec.keyPairKind)
        } catch {
            throw CeremonyError(
                "the public key to wrap with is not \(wrappingKeySpec.rawValue) as it should be: \(error.reason)")
        }
    }

    public static func load(_ file: URL) throws(CeremonyError) -> ImportParameters {
        let parameters: ImportParameters = try CeremonyFile.load(file)
        guard parameters.format == currentFormat else {
            throw CeremonyError("\(file.path) has no import parameters that this version of strongroom reads")
        }
        return parameters
    }
}

/// Key material that only the service can unwrap.
public struct WrappedMaterial: Codable, Sendable {
    static let currentFormat = "strongroom wrapped key material 1"

    private let format: String
    public let keyArn: String
    /// Of the public key that it is wrapped under.
    public let publicKeyFingerprint: String
    public let encryptedKeyMaterial: Data

    public init(_ bytes: [UInt8], _ parameters: ImportParameters) throws(CeremonyError) {
        format = Self.currentFormat
        keyArn = parameters.keyArn
        publicKeyFingerprint = try parameters.fingerprint
        encryptedKeyMaterial = Data(bytes)
    }

    public static func load(_ file: URL, for parameters: ImportParameters) throws(CeremonyError) -> WrappedMaterial {
        let wrapped: WrappedMaterial = try CeremonyFile.load(file)
        guard wrapped.format == currentFormat else {
            throw CeremonyError("\(file.path) has no wrapped key material that this version of strongroom reads")
        }
        guard wrapped.keyArn == parameters.keyArn, wrapped.publicKeyFingerprint == (try parameters.fingerprint) else {
            throw CeremonyError("\(file.path) was not wrapped with these import parameters")
        }
        return wrapped
    }
}
