public import Foundation
public import KMSModel

// The four calls of a key ceremony, as their callers know them. Members have the names of the API with a small first
// letter; what an answer holds beside them is ignored, so that a newer service is no error.

/// CreateKey, for key material from outside.
public struct ExternalKeyCreation: Encodable, Sendable {
    public var keySpec: KeySpec
    public var keyUsage: KeyUsageType
    public var description: String?
    /// An extension of Strongroom: a key store that takes key material from outside.
    public var customKeyStoreId: String?
    private let origin = OriginType.external

    public init(
        keySpec: KeySpec, keyUsage: KeyUsageType, description: String? = nil, customKeyStoreId: String? = nil
    ) {
        self.keySpec = keySpec
        self.keyUsage = keyUsage
        self.description = description
        self.customKeyStoreId = customKeyStoreId
    }
}

/// What DescribeKey says about a key.
public struct KeyDescription: Decodable, Sendable {
    public let arn: String
    /// A name that this program may not know.
    public let keySpec: String
    public let keyState: String
    public let origin: String
    public let currentKeyMaterialId: String?
    public let expirationModel: String?
    /// Seconds since 1970.
    public let validTo: Double?
}

/// What GetParametersForImport gives.
public struct ImportParametersAnswer: Decodable, Sendable {
    public let keyId: String
    public let importToken: Data
    public let publicKey: Data
    /// Seconds since 1970.
    public let parametersValidTo: Double
}

/// ImportKeyMaterial.
public struct MaterialImport: Encodable, Sendable {
    public var keyId: String
    public var importToken: Data
    public var encryptedKeyMaterial: Data
    public var expirationModel: ExpirationModelType
    public var validTo: Double?
    public var importType: ImportType?
    public var keyMaterialDescription: String?
    public var keyMaterialId: String?

    public init(
        keyId: String, importToken: Data, encryptedKeyMaterial: Data, expirationModel: ExpirationModelType
    ) {
        self.keyId = keyId
        self.importToken = importToken
        self.encryptedKeyMaterial = encryptedKeyMaterial
        self.expirationModel = expirationModel
    }
}

/// What ImportKeyMaterial answers.
public struct MaterialImportAnswer: Decodable, Sendable {
    public let keyId: String?
    /// Symmetric keys only.
    public let keyMaterialId: String?
}

extension RemoteKMS {
    public func createKey(_ key: ExternalKeyCreation) async throws -> KeyDescription {
        (try await call(.createKey, key) as KeyAnswer).keyMetadata
    }

    public func describeKey(_ keyID: String) async throws -> KeyDescription {
        (try await call(.describeKey, ["KeyId": keyID]) as KeyAnswer).keyMetadata
    }

    public func parametersForImport(
        _ keyID: String, _ algorithm: AlgorithmSpec, _ keySpec: WrappingKeySpec
    ) async throws -> ImportParametersAnswer {
        try await call(
            .getParametersForImport,
            ["KeyId": keyID, "WrappingAlgorithm": algorithm.rawValue, "WrappingKeySpec": keySpec.rawValue])
    }

    public func importKeyMaterial(_ material: MaterialImport) async throws -> MaterialImportAnswer {
        try await call(.importKeyMaterial, material)
    }

    private struct KeyAnswer: Decodable { let keyMetadata: KeyDescription }
}
