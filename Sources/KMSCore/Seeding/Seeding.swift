import Cryptography
import Foundation
public import KMSModel
import KMSPolicy
import KeyStores
import SecureMemory

// Fixtures: keys with fixed ids, made by the operations of the API in the name of the account's root user.
extension KeyManagementService {
    /// Makes what is missing of `seeded`, and leaves what is there: applying the same seed again changes nothing.
    ///
    /// A key that was made before keeps what callers changed of it since; only aliases come back to it, and material
    /// that is missing.
    /// Errors: those of the operations; ValidationException when a key with the same id is of another kind.
    public func apply(_ seeded: SeededKey) async throws(KMSError) {
        let context = RequestContext(
            caller: .root(of: seeded.scope.accountID, partition: seeded.scope.partition), region: seeded.scope.region)
        guard KeyIdentifier.isKeyID(seeded.id) else {
            throw .validation(
                "\(seeded.id) is no key id: a UUID in lower case, or mrk- and 32 hexadecimal digits for a multi-Region key."
            )
        }
        let known = metadata.read { $0.key(seeded.id, in: seeded.scope) }
        if let known {
            try Self.compare(known, with: seeded)
        } else {
            try await make(seeded, context)
        }
        try await importMaterial(of: seeded, context)
        for alias in seeded.aliases { try await point(alias, at: seeded.id, context) }
        if known == nil { try await finish(seeded, context) }
    }

    private static func compare(_ key: KMSKey, with seeded: SeededKey) throws(KMSError) {
        if seeded.adoption != nil {
            guard key.isAdopted, seeded.request.keySpec ?? key.keySpec == key.keySpec,
                seeded.request.keyUsage ?? key.keyUsage == key.keyUsage
            else {
                throw .validation(
                    "\(key.arn) is there already, and is \(key.keySpec.rawValue), \(key.keyUsage.rawValue)"
                        + (key.isAdopted ? "" : ", and not adopted") + ". Give the seeded key another id.")
            }
            return
        }
        let keySpec = seeded.request.keySpec ?? .symmetricDefault
        let keyUsage = try KeySpecRules.usage(requested: seeded.request.keyUsage, for: keySpec)
        guard key.keySpec == keySpec, key.keyUsage == keyUsage, key.origin == seeded.request.origin ?? .awsKms else {
            throw .validation(
                "\(key.arn) is there already, and is \(key.keySpec.rawValue), \(key.keyUsage.rawValue), "
                    + "\(key.origin.rawValue). Give the seeded key another id.")
        }
    }

    private func make(_ seeded: SeededKey, _ context: RequestContext) async throws(KMSError) {
        var request = seeded.request
        request.multiRegion = seeded.id.hasPrefix("mrk-")
        // Whoever writes the seed may lock out everybody, as with the API.
        request.bypassPolicyLockoutSafetyCheck = true
        if let adoption = seeded.adoption {
            _ = try await adoptKey(adoption, as: request, id: seeded.id, in: seeded.scope)
            return
        }
        _ = try await createKey(request, id: seeded.id, context)
    }

    /// By the same ceremony as callers', so that every key store takes it by its own path.
    private func importMaterial(of seeded: SeededKey, _ context: RequestContext) async throws(KMSError) {
        guard let material = seeded.material, let key = metadata.read({ $0.key(seeded.id, in: seeded.scope) }),
            key.isMissingMaterial(at: clock.now)
        else { return }
        let id = Text(seeded.id)
        let parameters = try await getParametersForImport(
            .init(keyId: id, wrappingAlgorithm: .rsaAesKeyWrapSha256, wrappingKeySpec: .rsa2048), context)
        guard let spki = parameters.publicKey, let token = parameters.importToken else { throw .internalError }
        let wrapped: [UInt8]
        do {
            wrapped = try Self.wrap(material, spki: spki)
        } catch {
            throw .validation("The material cannot be wrapped: \(error.reason)")
        }
        _ = try await importKeyMaterial(
            .init(
                encryptedKeyMaterial: wrapped, importToken: token, keyId: id,
                expirationModel: .keyMaterialDoesNotExpire), context)
    }

    private static func wrap(_ material: SecretBytes, spki: SecretBytes) throws(CryptographyError) -> [UInt8] {
        let encoded = spki.withBytes { bytes in bytes.indices.map { bytes[$0] } }
        let publicKey = try PublicKey(spki: encoded, kind: .rsa2048)
        let key = try SystemRandom.secret(32)
        return try key.withBytes { key throws(CryptographyError) in
            try publicKey.encrypt(key, .rsaOAEP(.sha256)) + AESKeyWrap.wrap(material, key: key)
        }
    }

    private func point(_ alias: Text, at keyID: String, _ context: RequestContext) async throws(KMSError) {
        let name = try Self.aliasName(alias)
        let target = metadata.read { $0.alias(name, in: context.scope)?.targetKeyID }
        switch target {
        case nil: try await createAlias(.init(aliasName: alias, targetKeyId: Text(keyID)), context)
        case keyID: return
        case _?: try await updateAlias(.init(aliasName: alias, targetKeyId: Text(keyID)), context)
        }
    }

    /// What a new key gets beyond CreateKey.
    private func finish(_ seeded: SeededKey, _ context: RequestContext) async throws(KMSError) {
        let id = Text(seeded.id)
        if let days = seeded.rotationPeriodInDays {
            try await enableKeyRotation(.init(keyId: id, rotationPeriodInDays: days), context)
        }
        for var grant in seeded.grants {
            grant.keyId = id
            _ = try await createGrant(grant, context)
        }
        if !seeded.isEnabled { try await disableKey(.init(keyId: id), context) }
    }
}
