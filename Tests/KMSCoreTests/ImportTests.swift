import Cryptography
import Foundation
import KMSCore
import KMSModel
import KMSStorage
import KeyStores
import SecureMemory
import Testing

/// Imported key material as time goes by: expiry, deletion, re-import, interruption. On the real database, in software.
struct ImportTests {
    private static let day = 86_400.0
    /// In seconds: what an import may take beside all other tests on busy cores, and more.
    private static let moment = 15.0
    private let material = SecretBytes(copying: [UInt8](0..<32).span)
    private let other = SecretBytes(copying: [UInt8](100..<132).span)

    private func externalKey(_ kms: Installation) async throws -> Text {
        let answer = try await kms.service.createKey(.init(origin: .external), kms.context)
        return try #require(answer.keyMetadata?.arn)
    }

    private struct Wrapped {
        let token: [UInt8]
        let material: [UInt8]
    }

    private func wrap(_ material: SecretBytes, for key: Text, _ kms: Installation) async throws -> Wrapped {
        let parameters = try await kms.service.getParametersForImport(
            .init(keyId: key, wrappingAlgorithm: .rsaesOaepSha256, wrappingKeySpec: .rsa2048), kms.context)
        let spki = try #require(parameters.publicKey).withBytes { bytes in bytes.indices.map { bytes[$0] } }
        let publicKey = try PublicKey(spki: spki, kind: .rsa2048)
        return Wrapped(
            token: try #require(parameters.importToken),
            material: try material.withBytes { bytes throws(CryptographyError) in
                try publicKey.encrypt(bytes, .rsaOAEP(.sha256))
            })
    }

    @discardableResult
    private func importing(
        _ material: SecretBytes, into key: Text, _ kms: Installation, validForDays days: Double? = nil,
        _ type: ImportType? = nil, description: Text? = nil
    ) async throws -> String {
        let wrapped = try await wrap(material, for: key, kms)
        let answer = try await kms.service.importKeyMaterial(
            .init(
                encryptedKeyMaterial: wrapped.material, importToken: wrapped.token, keyId: key,
                expirationModel: days == nil ? .keyMaterialDoesNotExpire : .keyMaterialExpires,
                importType: type, keyMaterialDescription: description,
                validTo: days.map { kms.service.now + $0 * Self.day }), kms.context)
        return try #require(answer.keyMaterialId?.string)
    }

    private func encrypt(_ kms: Installation, _ key: Text) async throws -> [UInt8] {
        try #require(
            try await kms.service.encrypt(.init(keyId: key, plaintext: secret("hello")), kms.context).ciphertextBlob)
    }

    private func decrypt(_ kms: Installation, _ blob: [UInt8]) async throws -> String? {
        text(try await kms.service.decrypt(.init(ciphertextBlob: blob), kms.context).plaintext)
    }

    @Test func `Expired material is gone, and the same bytes bring the key back`() async throws {
        let kms = try await Installation()
        let key = try await externalKey(kms)
        #expect(try await kms.state(of: key.string) == .pendingImport)
        let id = try await importing(material, into: key, kms, validForDays: 90)
        let blob = try await encrypt(kms, key)

        _ = try await kms.service.advanceClock(bySeconds: 91 * Self.day)
        #expect(try await kms.state(of: key.string) == .pendingImport)
        let stored = try kms.store.load()
        #expect(stored.intents.isEmpty && stored.importParameters.isEmpty)
        #expect(stored.keys.first?.materials.first?.backingKey.reference == [])
        let answer = await refusal { try await self.decrypt(kms, blob) }
        #expect(answer == KMSError(.kmsInvalidState, "\(key.string) is pending import."))

        await #expect(throws: KMSError.self) { try await importing(other, into: key, kms) }
        #expect(try await importing(material, into: key, kms) == id)
        #expect(try await decrypt(kms, blob) == "hello")
    }

    @Test func `A request one moment after ValidTo fails, before anything was cleaned up`() async throws {
        let kms = try await Installation()
        let key = try await externalKey(kms)
        try await importing(material, into: key, kms, validForDays: Self.moment / Self.day)
        try await Task.sleep(for: .seconds(Self.moment + 0.1))
        let answer = await refusal { try await self.encrypt(kms, key) }
        #expect(answer?.code == .kmsInvalidState)
        // Nobody has moved the clock or kept house: the material is still there.
        #expect(try kms.store.load().keys.first?.materials.first?.isPresent == true)
    }

    @Test func `Expiry happens also when the server was down at that moment`() async throws {
        let kms = try await Installation()
        let key = try await externalKey(kms)
        try await importing(material, into: key, kms, validForDays: Self.moment / Self.day)
        try await Task.sleep(for: .seconds(Self.moment + 0.1))
        let again = try await Installation(at: kms.directory)
        _ = try await again.service.advanceClock(bySeconds: 0)
        #expect(try again.store.load().keys.first?.materials.first?.isPresent == false)
    }

    @Test func `An expired token and one whose wrapping key has given way are expired, all others invalid`()
        async throws
    {
        let kms = try await Installation()
        let (key, another) = (try await externalKey(kms), try await externalKey(kms))
        let wrapped = try await wrap(material, for: key, kms)
        func code(_ token: [UInt8], _ key: Text) async -> KMSErrorCode? {
            await refusal {
                try await kms.service.importKeyMaterial(
                    .init(
                        encryptedKeyMaterial: wrapped.material, importToken: token, keyId: key,
                        expirationModel: .keyMaterialDoesNotExpire), kms.context)
            }?.code
        }
        #expect(await code(wrapped.token, another) == .invalidImportToken)
        for index in wrapped.token.indices {
            var token = wrapped.token
            token[index] ^= 1
            #expect(await code(token, key) == .invalidImportToken)
        }
        #expect(await code([], key) == .invalidImportToken)
        #expect(await code(Array(wrapped.token.dropLast()), key) == .invalidImportToken)
        for _ in 0..<5 { _ = try await wrap(material, for: key, kms) }
        #expect(await code(wrapped.token, key) == .expiredImportToken)
        let late = try await wrap(material, for: key, kms)
        _ = try await kms.service.advanceClock(bySeconds: Self.day + 1)
        #expect(await code(late.token, key) == .expiredImportToken)
        #expect(try await kms.state(of: key.string) == .pendingImport)
        #expect(try kms.store.load().importParameters.isEmpty)
    }

    @Test func `Material is rotated on demand, and all of it must be there`() async throws {
        let kms = try await Installation()
        let key = try await externalKey(kms)
        let first = try await importing(material, into: key, kms, description: "first")
        let old = try await encrypt(kms, key)
        let second = try await importing(other, into: key, kms, .newKeyMaterial)
        #expect(first != second)
        func current() async throws -> Text? {
            try await kms.service.describeKey(.init(keyId: key), kms.context).keyMetadata?.currentKeyMaterialId
        }
        #expect(try await current() == Text(first))
        _ = try await kms.service.rotateKeyOnDemand(.init(keyId: key), kms.context)
        #expect(try await current() == Text(second))
        let new = try await encrypt(kms, key)
        for blob in [old, new] { #expect(try await decrypt(kms, blob) == "hello") }

        let nothing = await refusal { try await kms.service.rotateKeyOnDemand(.init(keyId: key), kms.context) }
        #expect(
            nothing
                == KMSError(.kmsInvalidState, "No available key material pending rotation for the key: \(key.string)."))

        _ = try await kms.service.deleteImportedKeyMaterial(.init(keyId: key, keyMaterialId: Text(first)), kms.context)
        #expect(try await kms.state(of: key.string) == .pendingImport)
        _ = try await kms.service.deleteImportedKeyMaterial(.init(keyId: key), kms.context)
        try await importing(other, into: key, kms)
        #expect(try await kms.state(of: key.string) == .pendingImport)
        try await importing(material, into: key, kms)
        #expect(try await kms.state(of: key.string) == .enabled)
        for blob in [old, new] { #expect(try await decrypt(kms, blob) == "hello") }

        let rotations = try await kms.service.listKeyRotations(
            .init(keyId: key, includeKeyMaterial: .allKeyMaterial), kms.context
        ).rotations
        #expect(rotations?.map(\.keyMaterialState) == [.nonCurrent, .current])
        #expect(rotations?.map(\.keyMaterialDescription) == ["first", nil])
        #expect(rotations?.map(\.rotationType) == [nil, .onDemand])
    }

    @Test func `Material that waits for its rotation may go without a trace`() async throws {
        let kms = try await Installation()
        let key = try await externalKey(kms)
        try await importing(material, into: key, kms)
        let pending = try await importing(other, into: key, kms, .newKeyMaterial)
        _ = try await kms.service.deleteImportedKeyMaterial(
            .init(keyId: key, keyMaterialId: Text(pending)), kms.context)
        #expect(try await kms.state(of: key.string) == .enabled)
        #expect(try kms.store.load().keys.first?.materials.count == 1)
        // Another one may take its place.
        try await importing(SecretBytes(copying: [UInt8](50..<82).span), into: key, kms, .newKeyMaterial)
    }

    @Test func `Material that waited for its rotation and has expired is not in the way of another`() async throws {
        let kms = try await Installation()
        let key = try await externalKey(kms)
        try await importing(material, into: key, kms)
        try await importing(other, into: key, kms, validForDays: Self.moment / Self.day, .newKeyMaterial)
        try await Task.sleep(for: .seconds(Self.moment + 0.1))
        // Nobody has moved the clock or kept house.
        let third = try await importing(SecretBytes(copying: [UInt8](50..<82).span), into: key, kms, .newKeyMaterial)
        let stored = try kms.store.load()
        let last = stored.keys.first?.materials.last?.materialID.map { String(format: "%02x", $0) }.joined()
        #expect(last == third)
        #expect(stored.keys.first?.materials.count == 2 && stored.intents.isEmpty)
    }

    @Test func `A key that is disabled with its material stays so when the material is imported again`() async throws {
        let kms = try await Installation()
        let key = try await externalKey(kms)
        try await importing(material, into: key, kms)
        try await kms.service.disableKey(.init(keyId: key), kms.context)
        try await importing(material, into: key, kms)
        #expect(try await kms.state(of: key.string) == .disabled)
        _ = try await kms.service.deleteImportedKeyMaterial(.init(keyId: key), kms.context)
        #expect(try await kms.state(of: key.string) == .pendingImport)
        try await importing(material, into: key, kms)
        #expect(try await kms.state(of: key.string) == .enabled)
    }

    @Test func `The deletion of a key takes its wrapping keys with it`() async throws {
        let kms = try await Installation()
        let key = try await externalKey(kms)
        try await importing(material, into: key, kms)
        _ = try await kms.service.scheduleKeyDeletion(.init(keyId: key, pendingWindowInDays: 7), kms.context)
        _ = try await kms.service.advanceClock(bySeconds: 8 * Self.day)
        let stored = try kms.store.load()
        #expect(stored.keys.isEmpty && stored.importParameters.isEmpty && stored.intents.isEmpty)
    }
}
