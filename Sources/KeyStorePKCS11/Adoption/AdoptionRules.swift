internal import KMSModel
internal import KeyStores
internal import PKCS11

/// Why an object does not become a KMS key: one sentence without its full stop.
struct AdoptionRefusal: Error, Equatable {
    let reason: String

    init(_ reason: String) { self.reason = reason }
}

/// What the attributes of an object say about whether it may become a KMS key, and which. Pure.
enum AdoptionRules {
    /// All that is looked at.
    static let attributes: [AttributeType] =
        [
            .objectClass, .keyType, .token, .id, .label, .isPrivate, .sensitive, .extractable, .alwaysSensitive,
            .neverExtractable, .local, .alwaysAuthenticate, .allowedMechanisms, .valueLength,
        ] + usageFlags + PublicKeyInfo.attributes

    static let usageFlags: [AttributeType] = [
        .encrypt, .decrypt, .sign, .signRecover, .verify, .wrap, .unwrap, .derive,
    ]

    // MARK: Kind

    /// The KMS key spec of an object.
    static func keySpec(of values: AttributeValues) throws(AdoptionRefusal) -> KeySpec {
        let objectClass = values.number(.objectClass).map(ObjectClass.init)
        guard objectClass == .secretKey || objectClass == .privateKey else {
            throw AdoptionRefusal("it is \(objectClass?.description ?? "of no class"), not a secret or private key")
        }
        guard let keyType = values.number(.keyType).map(KeyType.init) else {
            throw AdoptionRefusal("the token does not tell its key type")
        }
        switch (objectClass, keyType) {
        case (.secretKey, .aes):
            let bytes = try length(of: values)
            guard bytes == 32 else {
                throw AdoptionRefusal("it is an AES key of \(8 * bytes) bits, and SYMMETRIC_DEFAULT has 256")
            }
            return .symmetricDefault
        case (.secretKey, _):
            return try hmacKeySpec(keyType, byteCount: try length(of: values))
        case (_, .rsa):
            return try rsaKeySpec(values)
        case (_, .ec):
            return try curveKeySpec(values)
        case (_, .ecEdwards):
            guard let parameters = values.bytes(.ecParameters), edwards25519.contains(parameters) else {
                throw AdoptionRefusal("it is an Edwards key of another curve than Ed25519")
            }
            return .eccNistEdwards25519
        case (_, let keyType):
            throw AdoptionRefusal("no KMS key is \(keyType)")
        }
    }

    /// The object identifier, and the name that some tokens give instead (PKCS#11 v3.1 §6.3.5).
    private static let edwards25519: [[UInt8]] = [PublicKeyInfo.ed25519, [0x13, 0x0C] + Array("edwards25519".utf8)]

    private static func length(of values: AttributeValues) throws(AdoptionRefusal) -> UInt {
        // SoftHSM says 0 for keys that came in wrapped.
        guard let length = values.number(.valueLength), (1...1024).contains(length) else {
            throw AdoptionRefusal("the token does not tell its length (CKA_VALUE_LEN)")
        }
        return length
    }

    private static func hmacKeySpec(_ keyType: KeyType, byteCount: UInt) throws(AdoptionRefusal) -> KeySpec {
        let forms: [KeySpec] = [.hmac224, .hmac256, .hmac384, .hmac512]
        let keySpec = forms.first { KeyForm($0)?.secretByteCount.map(UInt.init) == byteCount }
        guard let keySpec else {
            throw AdoptionRefusal("it is a secret of \(8 * byteCount) bits, and HMAC keys have 224, 256, 384 or 512")
        }
        guard keyType == .genericSecret || keyType == KeyForm(keySpec)?.typedKeyType else {
            throw AdoptionRefusal("it is \(keyType) of \(8 * byteCount) bits, which no KMS key is")
        }
        return keySpec
    }

    private static func rsaKeySpec(_ values: AttributeValues) throws(AdoptionRefusal) -> KeySpec {
        guard let modulus = values.bytes(.modulus)?.drop(while: { $0 == 0 }), let first = modulus.first else {
            throw AdoptionRefusal("the token does not tell its modulus (CKA_MODULUS)")
        }
        let bits = 8 * modulus.count - first.leadingZeroBitCount
        switch bits {
        case 2048: return .rsa2048
        case 3072: return .rsa3072
        case 4096: return .rsa4096
        default: throw AdoptionRefusal("it is an RSA key of \(bits) bits, and KMS keys have 2048, 3072 or 4096")
        }
    }

    private static func curveKeySpec(_ values: AttributeValues) throws(AdoptionRefusal) -> KeySpec {
        guard let parameters = values.bytes(.ecParameters) else {
            throw AdoptionRefusal("the token does not tell its curve (CKA_EC_PARAMS)")
        }
        switch Curve.allCases.first(where: { $0.parameters == parameters }) {
        case .p256: return .eccNistP256
        case .p384: return .eccNistP384
        case .p521: return .eccNistP521
        case .secp256k1: return .eccSecgP256k1
        case nil: throw AdoptionRefusal("its curve (CKA_EC_PARAMS) is none that KMS keys have")
        }
    }

    // MARK: Usage

    /// The usage that was asked for, or the only one that there is.
    static func usage(_ asked: KeyUsageType?, of keySpec: KeySpec) throws(AdoptionRefusal) -> KeyUsageType {
        let usages = KeyUsageType.allCases.filter { !keySpec.algorithms(for: $0).isEmpty }
        let names = usages.map(\.rawValue).joined(separator: " or ")
        if let asked {
            guard usages.contains(asked) else {
                throw AdoptionRefusal("it is \(keySpec.rawValue), which is for \(names), not for \(asked.rawValue)")
            }
            return asked
        }
        guard let only = usages.first, usages.count == 1 else {
            throw AdoptionRefusal("it is \(keySpec.rawValue), and a key usage is to be named: \(names)")
        }
        return only
    }

    /// The flags that a usage needs. A MAC is verified by making it again: no key needs CKA_VERIFY.
    static func neededFlags(_ usage: KeyUsageType, _ keySpec: KeySpec) -> [AttributeType] {
        switch usage {
        case .encryptDecrypt: keySpec == .symmetricDefault ? [.encrypt, .decrypt] : [.decrypt]
        case .signVerify, .generateVerifyMac: [.sign]
        case .keyAgreement: [.derive]
        case .encapsulateDecapsulate: []
        }
    }

    // MARK: Safety

    /// What makes an object unfit whatever its kind.
    static func requireSafety(_ values: AttributeValues) throws(AdoptionRefusal) {
        guard values.flag(.token) == true else { throw AdoptionRefusal("it is in session memory (CKA_TOKEN)") }
        guard values.flag(.extractable) == false else {
            throw AdoptionRefusal("its value can leave the token: CKA_EXTRACTABLE is not false")
        }
        guard values.flag(.sensitive) == true else {
            throw AdoptionRefusal("its value can be read: CKA_SENSITIVE is not true")
        }
        guard values.flag(.alwaysAuthenticate) != true else {
            throw AdoptionRefusal("each use of it wants the PIN again (CKA_ALWAYS_AUTHENTICATE)")
        }
    }

    static func requireFlags(
        of values: AttributeValues, _ usage: KeyUsageType, _ keySpec: KeySpec
    ) throws(AdoptionRefusal) {
        for flag in neededFlags(usage, keySpec) where values.flag(flag) != true {
            throw AdoptionRefusal("\(usage.rawValue) needs \(flag), which is not true")
        }
    }

    /// What is no reason to refuse an object and still worth knowing.
    static func observations(_ values: AttributeValues, _ usage: KeyUsageType, _ keySpec: KeySpec) -> [String] {
        var observations: [String] = []
        if values.flag(.local) == false { observations.append("CKA_LOCAL is false: it was not made on this token.") }
        if values.flag(.neverExtractable) == false {
            observations.append("CKA_NEVER_EXTRACTABLE is false: its value may have left the token before.")
        }
        if values.flag(.alwaysSensitive) == false {
            observations.append("CKA_ALWAYS_SENSITIVE is false: its value may have been read before.")
        }
        if values.flag(.isPrivate) == false {
            observations.append("CKA_PRIVATE is false: the token may let it be used without a login.")
        }
        let needed = neededFlags(usage, keySpec)
        let others = usageFlags.filter { values.flag($0) == true && !needed.contains($0) && $0 != .verify }
        if !others.isEmpty {
            observations.append(
                "It can do more than \(usage.rawValue) needs: \(others.map(\.description).joined(separator: ", ")).")
        }
        if allowedMechanismCount(values) > 0 {
            observations.append("CKA_ALLOWED_MECHANISMS restricts what it is used with.")
        }
        return observations
    }

    static func allowedMechanismCount(_ values: AttributeValues) -> Int {
        (values.bytes(.allowedMechanisms)?.count ?? 0) / MemoryLayout<UInt>.size
    }
}
