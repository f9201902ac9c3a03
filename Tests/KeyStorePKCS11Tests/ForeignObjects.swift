internal import Conformance
internal import KMSModel
internal import KMSTesting
internal import KeyStorePKCS11
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// A token with objects on it that another application has made.
struct ForeignToken: Sendable {
    let device: TestDevice
    private let access: TokenAccess

    /// A token of its own on SoftHSM.
    static func softHSM() throws -> ForeignToken {
        let token = try SoftHSMFixture.shared().takeToken()
        return try ForeignToken(
            TokenDeviceConfiguration(
                clusterID: TestDevice.clusterID, modulePath: SoftHSMFixture.modulePath, token: .label(token.label)),
            pin: token.pin)
    }

    static func nss() throws -> ForeignToken {
        let fixture = try NSSFixture.shared()
        return try ForeignToken(
            TokenDeviceConfiguration(
                clusterID: TestDevice.clusterID, modulePath: fixture.modulePath, token: .label(NSSFixture.label),
                reservedInitString: fixture.initString),
            pin: fixture.pin)
    }

    private init(_ configuration: TokenDeviceConfiguration, pin: String) throws {
        device = try TestDevice(configuration, pin: pin)
        access = TokenAccess(
            modulePath: configuration.modulePath, initString: configuration.reservedInitString,
            token: configuration.token)
    }

    /// Works as the other application; not while the key store is connected, which is logged in then.
    func use<R>(_ body: (inout Session) throws(PKCS11Error) -> R) throws -> R {
        try access.withSession(SecretBytes(Array(device.pin.utf8))) { session throws(TokenAccessError) in
            do throws(PKCS11Error) {
                return try body(&session)
            } catch {
                throw TokenAccessError(error, access.token)
            }
        }
    }

    /// The attributes of everything on the token that was there without us, as text: equal when nothing was changed.
    func attributes(except canary: String = "strongroom canary") throws -> [String] {
        try use { session throws(PKCS11Error) in
            var found: [String] = []
            for object in try session.findObjects([.flag(.token, true)]) {
                let values = try session.attributes(of: object, Self.attributes)
                guard values.text(.label) != canary else { continue }
                found.append(
                    Self.attributes.map { "\($0)=\(values.bytes($0).map { "\($0)" } ?? "none")" }.joined(separator: " ")
                )
            }
            return found.sorted()
        }
    }

    private static let attributes: [AttributeType] = [
        .objectClass, .token, .isPrivate, .label, .keyType, .id, .sensitive, .encrypt, .decrypt, .wrap, .unwrap, .sign,
        .signRecover, .verify, .derive, .valueLength, .extractable, .modulus, .publicExponent, .ecParameters, .ecPoint,
        .local, .neverExtractable, .alwaysSensitive, .alwaysAuthenticate, .allowedMechanisms, .value,
    ]
}

/// What other applications make.
enum ForeignObjects {
    /// Sensitive and not extractable unless the caller says otherwise: a later attribute of the same type counts.
    static func aes(
        _ name: [Attribute], bytes: Int = 32, flags: [AttributeType: Bool] = [:], more: [Attribute] = [],
        in session: inout Session
    ) throws(PKCS11Error) {
        _ = try session.generateKey(
            .aesKeyGeneration,
            [.objectClass(.secretKey), .keyType(.aes), .valueLength(bytes), .flag(.token, true)] + name
                + all([.encrypt: true, .decrypt: true], flags) + more)
    }

    static func secret(
        _ name: [Attribute], bytes: Int, flags: [AttributeType: Bool] = [:], in session: inout Session
    ) throws(PKCS11Error) {
        _ = try session.generateKey(
            .genericSecretKeyGeneration,
            [.objectClass(.secretKey), .keyType(.genericSecret), .valueLength(bytes), .flag(.token, true)] + name
                + all([.sign: true], flags))
    }

    /// - Parameter publicName: of the public half; empty makes it a session object, which is gone afterwards.
    static func pair(
        _ mechanism: MechanismType, _ domain: [Attribute], _ name: [Attribute], publicName: [Attribute],
        flags: [AttributeType: Bool] = [:], in session: inout Session
    ) throws(PKCS11Error) {
        _ = try session.generateKeyPair(
            mechanism, publicKey: [.flag(.token, !publicName.isEmpty)] + publicName + domain,
            privateKey: [.flag(.token, true)] + name + all([:], flags))
    }

    static let p256: [Attribute] = [
        .bytes(.ecParameters, [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07])
    ]

    static func rsa(_ bits: Int, exponent: [UInt8] = [1, 0, 1]) -> [Attribute] {
        [.modulusBits(bits), .bytes(.publicExponent, exponent)]
    }

    private static func all(
        _ usual: [AttributeType: Bool], _ flags: [AttributeType: Bool]
    ) -> [Attribute] {
        let safe: [AttributeType: Bool] = [.isPrivate: true, .sensitive: true, .extractable: false]
        return safe.merging(usual) { $1 }.merging(flags) { $1 }.map { .flag($0.key, $0.value) }
    }
}

extension KeyAdoption {
    init(label: String? = nil, objectID: [UInt8]? = nil, usage: KeyUsageType? = nil) throws {
        var generator = SystemRandomNumberGenerator()
        guard let object = ObjectSelector(label: label, id: objectID) else { throw FixtureError("no name") }
        self.init(id: BackingKeyID(randomFrom: &generator), object: object, keyUsage: usage, kmsKeyID: "a KMS key")
    }
}
