internal import Foundation
internal import KMSTesting
internal import PKCS11
internal import SecureMemory
internal import Testing

/// The wrapper on a SoftHSM token: one token, so that login and logout of one test are not another one's.
@Suite(.serialized) struct SessionTests {
    let slot: Slot
    let pin: SecretBytes
    /// Keeps the login while a test runs.
    let token: SoftHSMFixture.Token

    init() throws {
        token = try SoftHSMFixture.shared().takeToken()
        let module = try Module.load(path: SoftHSMFixture.modulePath)
        let label = token.label
        slot = try #require(try module.slotsWithToken().first { slot in try slot.tokenInfo().label == label })
        pin = SecretBytes(Array(token.pin.utf8))
    }

    private static func aesKey(_ id: [UInt8], onToken: Bool = false) -> [Attribute] {
        [
            .objectClass(.secretKey), .keyType(.aes), .flag(.token, onToken), .flag(.isPrivate, true), .id(id),
            .label("a key"), .flag(.sensitive, true), .flag(.extractable, false), .flag(.encrypt, true),
            .flag(.decrypt, true), .valueLength(32),
        ]
    }

    @Test func `A token tells its label, its serial number and its PIN flags`() throws {
        let info = try slot.tokenInfo()
        #expect(info.label == token.label)
        #expect(info.serialNumber.count == 16)
        #expect(info.isInitialized && info.isUserPINInitialized)
        #expect(!info.isUserPINFinalTry && !info.isUserPINLocked)
    }

    @Test func `Mechanism flags do not depend on what was in memory`() throws {
        let flags = try Set((0..<20).map { _ in try slot.mechanismInfo(.aesGCM).flags })
        #expect(flags.count == 1)
    }

    @Test func `A wrong PIN is an error that names the function`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        let error = pkcs11Error { () throws(PKCS11Error) in try session.login(SecretBytes([1, 2, 3, 4, 5])) }
        #expect(error == PKCS11Error(.login, .pinIncorrect))
    }

    @Test func `Attributes read back are those that were given, and the value is not among them`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        try session.login(pin)
        let id: [UInt8] = [0, 1, 0, 2]
        let key = try session.generateKey(.aesKeyGeneration, Self.aesKey(id))
        let values = try session.attributes(
            of: key, [.id, .label, .value, .sensitive, .extractable, .token, .valueLength, .keyType])
        #expect(values.bytes(.id) == id)
        #expect(values.text(.label) == "a key")
        #expect(values.bytes(.value) == nil)
        #expect(values.flag(.sensitive) == true)
        #expect(values.flag(.extractable) == false)
        #expect(values.flag(.token) == false)
        #expect(values.number(.valueLength) == 32)
        #expect(values.number(.keyType) == KeyType.aes.rawValue)
        try session.logout()
    }

    @Test func `A label longer than usual is read in a second try`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        try session.login(pin)
        let label = String(repeating: "é", count: 600)
        let key = try session.generateKey(
            .aesKeyGeneration,
            [.objectClass(.secretKey), .keyType(.aes), .flag(.token, false), .label(label), .valueLength(32)])
        #expect(try session.attributes(of: key, [.label]).text(.label) == label)
        try session.logout()
    }

    @Test func `Objects are found by template, and more than one batch of them`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        try session.login(pin)
        for number in 0..<300 {
            _ = try session.generateKey(.aesKeyGeneration, Self.aesKey([9, UInt8(number % 3)]))
        }
        #expect(try session.findObjects([.id([9, 0])]).count == 100)
        #expect(try session.findObjects([.objectClass(.secretKey)]).count == 300)
        #expect(try session.findObjects([.id([8])]).isEmpty)
        try session.logout()
    }

    @Test func `GCM returns what it was given, and a changed byte is an error that leaves no output`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        try session.login(pin)
        let key = try session.generateKey(.aesKeyGeneration, Self.aesKey([1]))
        for count in [0, 1, 16, 4096] {
            let plaintext = [UInt8](repeating: 3, count: count)
            var mechanism = Mechanism.aesGCM(
                GCMParameters(iv: [UInt8](repeating: 7, count: 12), associatedData: [1, 2]))
            var ciphertext = try session.encrypt(plaintext.span, &mechanism, key: key)
            #expect(ciphertext.count == count + 16)
            #expect(try session.decrypt(ciphertext.span, mechanism, key: key).revealed == plaintext)
            ciphertext[count] ^= 1
            var fresh = try slot.openSession(epoch: session.epoch)
            let error = pkcs11Error { () throws(PKCS11Error) in
                _ = try fresh.decrypt(ciphertext.span, mechanism, key: key)
            }
            #expect(error == PKCS11Error(.decrypt, .generalError))
        }
        try session.logout()
    }

    @Test func `A handle of another login is refused, whatever the token would say`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        try session.login(pin)
        let key = try session.generateKey(.aesKeyGeneration, Self.aesKey([1]))
        var mechanism = Mechanism.aesECB
        let block = [UInt8](repeating: 0, count: 16)
        // For the token this is the same login, and it would take the handle.
        var other = try slot.openSession(epoch: LoginEpoch())
        let error = pkcs11Error { () throws(PKCS11Error) in
            _ = try other.encrypt(block.span, &mechanism, key: key)
        }
        #expect(error == PKCS11Error(.encryptInit, .objectHandleInvalid))
        try session.logout()
    }

    @Test func `A copy in session memory works in other sessions and dies with its own`() throws {
        var owner = try slot.openSession(epoch: LoginEpoch())
        try owner.login(pin)
        let epoch = owner.epoch
        let key = try owner.generateKey(.aesKeyGeneration, Self.aesKey([5], onToken: true))
        var maker = try slot.openSession(epoch: epoch)
        let copy = try maker.copyObject(key, [.flag(.token, false)])
        let block = [UInt8](repeating: 0, count: 16)
        var mechanism = Mechanism.aesECB
        var user = try slot.openSession(epoch: epoch)
        let expected = try user.encrypt(block.span, &mechanism, key: key)
        #expect(try user.encrypt(block.span, &mechanism, key: copy) == expected)
        try maker.close()
        let error = pkcs11Error { () throws(PKCS11Error) in _ = try user.encrypt(block.span, &mechanism, key: copy) }
        #expect(error?.returnValue == .objectHandleInvalid || error?.returnValue == .keyHandleInvalid)
        try owner.destroyObject(key)
        #expect(try owner.findObjects([.id([5])]).isEmpty)
        try owner.logout()
    }

    private static let p256: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]

    private static func pair(
        _ keyType: KeyType, _ domain: [Attribute], signs: Bool = false, decrypts: Bool = false, derives: Bool = false
    ) -> (publicKey: [Attribute], privateKey: [Attribute]) {
        (
            [.objectClass(.publicKey), .keyType(keyType), .flag(.token, false)] + domain,
            [
                .objectClass(.privateKey), .keyType(keyType), .flag(.token, false), .flag(.sensitive, true),
                .flag(.extractable, false), .flag(.sign, signs), .flag(.decrypt, decrypts), .flag(.derive, derives),
            ]
        )
    }

    @Test func `A key pair is made of two templates, and the public half tells the key`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        try session.login(pin)
        let rsa = Self.pair(
            .rsa, [.modulusBits(1024), .bytes(.publicExponent, [1, 0, 1])], signs: true, decrypts: true)
        let pair = try session.generateKeyPair(
            .rsaKeyPairGeneration, publicKey: rsa.publicKey, privateKey: rsa.privateKey)
        let values = try session.attributes(
            of: pair.publicKey, [.objectClass, .modulus, .publicExponent, .modulusBits])
        #expect(values.number(.objectClass) == ObjectClass.publicKey.rawValue)
        #expect(values.bytes(.modulus)?.count == 128)
        #expect(values.bytes(.publicExponent) == [1, 0, 1])
        #expect(values.number(.modulusBits) == 1024)
        let secret = try session.attributes(of: pair.privateKey, [.objectClass, .privateExponent, .modulus, .sign])
        #expect(secret.number(.objectClass) == ObjectClass.privateKey.rawValue)
        #expect(secret.bytes(.privateExponent) == nil)
        #expect(secret.bytes(.modulus) == values.bytes(.modulus))
        #expect(secret.flag(.sign) == true)
        // The bare operation, and PKCS #1 around it: the signature is what the other one undoes.
        let digestInfo: [UInt8] = [0x30, 0x03, 0x02, 0x01, 0x07]
        let signature = try session.sign(digestInfo.span, .rsaPKCS, key: pair.privateKey)
        #expect(signature.count == 128)
        let bare = try session.decrypt(([UInt8](repeating: 0, count: 127) + [1]).span, .rsaX509, key: pair.privateKey)
        #expect(bare.revealed.suffix(1) == [1])
        for hash in [MechanismHash.sha1, .sha256] {
            let digest = [UInt8](repeating: 7, count: hash == .sha1 ? 20 : 32)
            let pss = try session.sign(
                digest.span, .rsaPSS(hash: hash, saltByteCount: digest.count), key: pair.privateKey)
            #expect(pss.count == 128)
        }
        try session.logout()
    }

    @Test func `Two keys of a curve derive one secret, which can be read`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        try session.login(pin)
        let template = Self.pair(.ec, [.bytes(.ecParameters, Self.p256)], derives: true)
        var pairs: [(publicKey: ObjectHandle, privateKey: ObjectHandle)] = []
        for _ in 0..<2 {
            pairs.append(
                try session.generateKeyPair(
                    .ecKeyPairGeneration, publicKey: template.publicKey, privateKey: template.privateKey))
        }
        var secrets: [[UInt8]] = []
        for index in 0..<2 {
            let point = try #require(try session.attributes(of: pairs[1 - index].publicKey, [.ecPoint]).bytes(.ecPoint))
            #expect(point.count == 67 && point.starts(with: [0x04, 0x41, 0x04]))
            let derived = try session.deriveKey(
                .ecdh1(publicPoint: point), from: pairs[index].privateKey,
                [
                    .objectClass(.secretKey), .keyType(.genericSecret), .flag(.token, false), .flag(.sensitive, false),
                    .flag(.extractable, true), .valueLength(32),
                ])
            let error = pkcs11Error { () throws(PKCS11Error) in _ = try session.secretValue(of: derived, longest: 31) }
            #expect(error?.function == .getAttributeValue)
            secrets.append(try session.secretValue(of: derived, longest: 32).revealed)
        }
        #expect(secrets[0] == secrets[1] && secrets[0].count == 32)
        // The private half is not for reading.
        let key = pairs[0].privateKey
        let error = pkcs11Error { () throws(PKCS11Error) in _ = try session.secretValue(of: key, longest: 64) }
        #expect(error == PKCS11Error(.getAttributeValue, .attributeSensitive))
        try session.logout()
    }

    @Test func `Signatures and codes have their lengths, and a handle of another login makes none`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        try session.login(pin)
        let template = Self.pair(.ec, [.bytes(.ecParameters, Self.p256)], signs: true)
        let ec = try session.generateKeyPair(
            .ecKeyPairGeneration, publicKey: template.publicKey, privateKey: template.privateKey)
        let digest = [UInt8](repeating: 1, count: 32)
        #expect(try session.sign(digest.span, .ecdsa, key: ec.privateKey).count == 64)
        for (hash, count) in [(MechanismHash.sha224, 28), (.sha256, 32), (.sha384, 48), (.sha512, 64)] {
            let key = try session.generateKey(
                .genericSecretKeyGeneration,
                [
                    .objectClass(.secretKey), .keyType(.genericSecret), .flag(.token, false), .flag(.sign, true),
                    .valueLength(count),
                ])
            #expect(try session.sign(digest.span, .hmac(hash: hash), key: key).count == count)
        }
        var other = try slot.openSession(epoch: LoginEpoch())
        let error = pkcs11Error { () throws(PKCS11Error) in
            _ = try other.sign(digest.span, .ecdsa, key: ec.privateKey)
        }
        #expect(error == PKCS11Error(.signInit, .objectHandleInvalid))
        try session.logout()
    }

    @Test func `Random bytes have the length asked for and differ`() throws {
        var session = try slot.openSession(epoch: LoginEpoch())
        let (first, second) = (try session.generateRandom(64).revealed, try session.generateRandom(64).revealed)
        #expect(first.count == 64 && second.count == 64 && first != second)
    }

    @Test func `A module is not restarted while a session is open`() throws {
        let module = try Module.load(path: try SoftHSMFixture.shared().copyOfModule("restart"))
        let slot = try #require(try module.slotsWithToken().first)
        #expect(try module.freshenIfIdle())
        do {
            let session = try slot.openSession(epoch: LoginEpoch())
            #expect(try !module.restartIfIdle())
            #expect(try !module.freshenIfIdle())
            try session.close()
        }
        #expect(try module.freshenIfIdle())
        #expect(try module.restartIfIdle())
        #expect(try !module.slotsWithToken().isEmpty)
        #expect(try module.finalizeIfIdle())
        #expect(throws: PKCS11Error(.getSlotList, .cryptokiNotInitialized)) { try module.slotsWithToken() }
        _ = try Module.load(path: module.path)
        #expect(try !module.slotsWithToken().isEmpty)
    }
}

/// The error of `body`; nil if there was none. A closure of `#expect(throws:)` could not change a session.
private func pkcs11Error(_ body: () throws(PKCS11Error) -> Void) -> PKCS11Error? {
    do throws(PKCS11Error) {
        try body()
        return nil
    } catch {
        return error
    }
}
