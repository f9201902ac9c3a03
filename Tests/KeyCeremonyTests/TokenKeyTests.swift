import Foundation
import KMSModel
import KMSTesting
import KeyCeremony
import PKCS11
import SecureMemory
import Testing

/// Keys that a token wraps. One token for all: login is per token, and each ceremony logs in for itself.
@Suite(.serialized) struct TokenKeyTests {
    private typealias Generation = @Sendable (inout Session, [Attribute]) throws -> Void

    private struct Place {
        let name: TokenKeyName
        let pin: SecretBytes
        let slot: Slot
    }

    private static let softHSM = Result { () throws -> Place in
        let token = try SoftHSMFixture.shared().takeToken()
        let module = try Module.load(path: SoftHSMFixture.modulePath)
        let label = token.label
        let slot = try #require(try module.slotsWithToken().first { slot in try slot.tokenInfo().label == label })
        return Place(
            name: TokenKeyName(modulePath: SoftHSMFixture.modulePath, tokenLabel: label),
            pin: SecretBytes(Array(token.pin.utf8)), slot: slot)
    }

    /// Makes a key under a label of its own, lends its name, and destroys it.
    private func withKey(
        _ place: Place, _ generation: Generation, isExtractable: Bool = true,
        _ body: (TokenKeyName) throws -> Void
    ) throws {
        var name = place.name
        name.keyLabel = "ceremony-\(UUID().uuidString)"
        var session = try place.slot.openSession(epoch: LoginEpoch())
        try session.login(place.pin)
        try generation(
            &session,
            [
                .flag(.token, true), .flag(.isPrivate, true), .label(name.keyLabel ?? ""), .id([0xca, 0xfe]),
                .flag(.sensitive, true), .flag(.extractable, isExtractable),
            ])
        // A ceremony finds nobody logged in.
        try session.logout()
        try body(name)
        try session.login(place.pin)
        for object in try session.findObjects([.label(name.keyLabel ?? "")]) { try session.destroyObject(object) }
        try session.logout()
    }

    private static func secret(
        _ type: KeyType, _ mechanism: MechanismType, _ count: Int
    ) -> Generation {
        { session, attributes in
            _ = try session.generateKey(
                mechanism, [.objectClass(.secretKey), .keyType(type), .valueLength(count)] + attributes)
        }
    }

    private static func keyPair(
        _ type: KeyType, _ mechanism: MechanismType, _ publicAttributes: [Attribute]
    ) -> Generation {
        { session, attributes in
            let common: [Attribute] = [.keyType(type), .flag(.token, false)]
            _ = try session.generateKeyPair(
                mechanism, publicKey: [.objectClass(.publicKey), .flag(.verify, true)] + common + publicAttributes,
                privateKey: [.objectClass(.privateKey), .keyType(type), .flag(.sign, true)] + attributes)
        }
    }

    private static let aes = secret(.aes, .aesKeyGeneration, 32)
    private static let rsa = keyPair(
        .rsa, .rsaKeyPairGeneration, [.modulusBits(2048), .bytes(.publicExponent, [1, 0, 1])])
    private static let p256 = keyPair(
        .ec, .ecKeyPairGeneration,
        [.bytes(.ecParameters, [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07])])

    private func refusal(_ name: TokenKeyName, _ pin: SecretBytes, _ keySpec: KeySpec) -> String {
        let error = #expect(throws: CeremonyError.self) { _ = try TokenKey(name, pin: pin, for: keySpec) }
        return error?.description ?? ""
    }

    @Test func `SoftHSM wraps with SHA-1, and the service unwraps the key`() throws {
        let place = try Self.softHSM.get()
        let service = try TestService()
        try withKey(place, Self.aes) { name in
            let key = try TokenKey(name, pin: place.pin, for: .symmetricDefault)
            #expect(key.abilities.oaepHashes == [.sha1])
            #expect(key.defaultAlgorithm == .rsaesOaepSha1)
            for algorithm in [AlgorithmSpec.rsaesOaepSha1, .rsaAesKeyWrapSha1] {
                let wrapped = try key.wrapped(with: service.parameters(.symmetricDefault, algorithm))
                #expect(try service.unwrap(wrapped, algorithm).count == 32)
            }
            let error = #expect(throws: CeremonyError.self) { _ = try key.exposesMaterialToHost(.rsaesOaepSha256) }
            #expect(error?.description.contains("take RSAES_OAEP_SHA_1") == true)
            #expect(try !key.exposesMaterialToHost(.rsaesOaepSha1))
            #expect(throws: CeremonyError.self) {
                _ = try key.wrapped(with: service.parameters(.symmetricDefault, .rsaesOaepSha256))
            }
        }
        try withKey(place, Self.secret(.genericSecret, .genericSecretKeyGeneration, 48)) { name in
            let key = try TokenKey(name, pin: place.pin, for: .hmac384)
            let wrapped = try key.wrapped(with: service.parameters(.hmac384, .rsaesOaepSha1))
            #expect(try service.unwrap(wrapped, .rsaesOaepSha1).count == 48)
        }
    }

    @Test func `Private keys leave SoftHSM through memory, because it does not keep their length`() throws {
        let place = try Self.softHSM.get()
        let service = try TestService()
        for (generation, keySpec) in [(Self.rsa, KeySpec.rsa2048), (Self.p256, .eccNistP256)] {
            try withKey(place, generation) { name in
                let strict = try TokenKey(name, pin: place.pin, for: keySpec)
                #expect(strict.defaultAlgorithm == .rsaAesKeyWrapSha1)
                let error = #expect(throws: CeremonyError.self) {
                    _ = try strict.exposesMaterialToHost(.rsaAesKeyWrapSha1)
                }
                #expect(error?.description.contains("give --allow-host-memory") == true)
                let key = try TokenKey(name, pin: place.pin, for: keySpec, allowsHostMemory: true)
                for algorithm in [AlgorithmSpec.rsaAesKeyWrapSha1, .rsaAesKeyWrapSha256] {
                    #expect(try key.exposesMaterialToHost(algorithm))
                    let wrapped = try key.wrapped(with: service.parameters(keySpec, algorithm))
                    let unwrapped = try service.unwrap(wrapped, algorithm)
                    _ = try KeyMaterial(contents: unwrapped, for: keySpec, name: "the key of the token")
                }
            }
        }
    }

    @Test func `Secret keys leave through memory where SHA-256 is wanted and allowed`() throws {
        let place = try Self.softHSM.get()
        let service = try TestService()
        try withKey(place, Self.secret(.genericSecret, .genericSecretKeyGeneration, 28)) { name in
            let key = try TokenKey(name, pin: place.pin, for: .hmac224, allowsHostMemory: true)
            #expect(try key.exposesMaterialToHost(.rsaesOaepSha256) && !key.exposesMaterialToHost(.rsaesOaepSha1))
            var values: [SecretBytes] = []
            for algorithm in [AlgorithmSpec.rsaesOaepSha1, .rsaesOaepSha256, .rsaAesKeyWrapSha1] {
                values.append(
                    try service.unwrap(key.wrapped(with: service.parameters(.hmac224, algorithm)), algorithm))
            }
            let first = values[0].withBytes { bytes in bytes.indices.map { bytes[$0] } }
            #expect(first.count == 28 && values.allSatisfy { $0.holds(first) })
        }
    }

    @Test func `A key that may not leave its token stays there`() throws {
        let place = try Self.softHSM.get()
        try withKey(place, Self.aes, isExtractable: false) { name in
            #expect(refusal(name, place.pin, .symmetricDefault).contains("is not extractable"))
        }
    }

    @Test func `A key that is no material for the key spec is refused`() throws {
        let place = try Self.softHSM.get()
        try withKey(place, Self.aes) { name in
            #expect(refusal(name, place.pin, .hmac384).contains("32 bytes"))
            #expect(refusal(name, place.pin, .rsa2048).contains("not a private key"))
        }
        try withKey(place, Self.rsa) { name in
            #expect(refusal(name, place.pin, .rsa3072).contains("RSA of another size"))
            #expect(refusal(name, place.pin, .eccNistP256).contains("not on a curve"))
            #expect(refusal(name, place.pin, .symmetricDefault).contains("not a secret key"))
        }
    }

    @Test func `Wrong names and wrong PINs say what is wrong`() throws {
        let place = try Self.softHSM.get()
        try withKey(place, Self.aes) { name in
            #expect(refusal(name, SecretBytes([1, 2, 3, 4]), .symmetricDefault).contains("the PIN is wrong"))
            var other = name
            other.keyLabel = "nobody"
            #expect(
                refusal(other, place.pin, .symmetricDefault).contains("no secret or private key with the label nobody"))
            other = name
            other.keyID = [0xca, 0xff]
            #expect(refusal(other, place.pin, .symmetricDefault).contains("and the id caff"))
            other.tokenLabel = "nowhere"
            #expect(refusal(other, place.pin, .symmetricDefault).contains("has no token labelled \"nowhere\""))
            other.modulePath = "/nonexistent.so"
            #expect(refusal(other, place.pin, .symmetricDefault).contains("there is no module file"))
            other = name
            other.keyLabel = nil
            other.keyID = [0xca, 0xfe]
            _ = try TokenKey(other, pin: place.pin, for: .symmetricDefault)
            try withKey(place, Self.aes) { _ in
                #expect(refusal(other, place.pin, .symmetricDefault).contains("has 2 keys with the id cafe"))
            }
        }
    }
}
