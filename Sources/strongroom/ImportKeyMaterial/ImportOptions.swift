import ArgumentParser
import Foundation
import KMSClient
import KMSModel
import KeyCeremony

/// How the material is wrapped.
struct WrappingOptions: ParsableArguments {
    @Option(
        help: """
            The wrapping algorithm. Without it: RSAES_OAEP_SHA_256 for symmetric and HMAC keys, \
            RSA_AES_KEY_WRAP_SHA_256 for private keys, or with SHA_1 for a token that has no other.
            """)
    var wrappingAlgorithm: AlgorithmSpec?

    @Option(help: "The kind of the public key that wraps.")
    var wrappingKeySpec = WrappingChoice.defaultWrappingKeySpec

    /// - Parameter material: nil when it is wrapped elsewhere.
    func algorithm(for keySpec: KeySpec, _ material: PreparedMaterial?) throws -> AlgorithmSpec {
        var algorithm = wrappingAlgorithm ?? WrappingChoice.defaultAlgorithm(for: keySpec)
        if wrappingAlgorithm == nil, case .token(let key)? = material { algorithm = key.defaultAlgorithm }
        try WrappingChoice.check(algorithm, wrappingKeySpec, for: keySpec)
        _ = try material?.isInHostMemory(algorithm)
        return algorithm
    }
}

/// What ImportKeyMaterial is told beside the material.
struct ImportOptions: ParsableArguments {
    @Option(help: "The material expires after this time, such as 30d or 12h, and is deleted then.")
    var expiresIn: String?

    @Option(help: "The material expires at this time, such as 2026-12-31T23:59:59Z.")
    var validTo: String?

    @Flag(help: "The material does not expire.")
    var noExpiry = false

    @Option(help: "Symmetric keys: whether the material is new to the key or known to it.")
    var importType: ImportType?

    @Option(help: "Symmetric keys: a description of the material.")
    var keyMaterialDescription: String?

    @Option(
        name: .customLong("key-material-id"), help: "Symmetric keys: the id that the material must turn out to have.")
    var keyMaterialID: String?

    func validate() throws {
        // The default of the API is to expire, at a time that must be given: there is nothing to assume.
        guard [expiresIn != nil, validTo != nil, noExpiry].filter({ $0 }).count == 1 else {
            throw ValidationError("one of --expires-in, --valid-to and --no-expiry is needed")
        }
        do { _ = try expiration(at: Date()) } catch { throw ValidationError("\(error)") }
    }

    func expiration(at time: Date) throws -> Expiration {
        if let expiresIn { return try Expiration(after: expiresIn, from: time) }
        if let validTo { return try Expiration(timestamp: validTo, now: time) }
        return .never
    }
}

extension RemoteKMS {
    func importParameters(
        _ arn: String, _ keySpec: KeySpec, _ algorithm: AlgorithmSpec, _ wrappingKeySpec: WrappingKeySpec
    ) async throws -> ImportParameters {
        let answer = try await parametersForImport(arn, algorithm, wrappingKeySpec)
        return ImportParameters(
            keyArn: arn, keySpec: keySpec, wrappingAlgorithm: algorithm, wrappingKeySpec: wrappingKeySpec,
            publicKey: answer.publicKey, importToken: answer.importToken,
            validTo: Date(timeIntervalSince1970: answer.parametersValidTo))
    }

    func importMaterial(
        _ wrapped: WrappedMaterial, _ parameters: ImportParameters, _ options: ImportOptions,
        _ expiration: Expiration, _ report: CeremonyReport
    ) async throws {
        var material = MaterialImport(
            keyId: parameters.keyArn, importToken: parameters.importToken,
            encryptedKeyMaterial: wrapped.encryptedKeyMaterial, expirationModel: .keyMaterialDoesNotExpire)
        if case .at(let date) = expiration {
            material.expirationModel = .keyMaterialExpires
            material.validTo = date.timeIntervalSince1970.rounded(.down)
        }
        material.importType = options.importType
        material.keyMaterialDescription = options.keyMaterialDescription
        material.keyMaterialId = options.keyMaterialID
        let answer: MaterialImportAnswer
        do {
            answer = try await importKeyMaterial(material)
        } catch let error as ClientError {
            throw CeremonyError("\(error); whether the material was imported, DescribeKey tells")
        }
        report.imported(answer, try await describeKey(parameters.keyArn))
    }
}
