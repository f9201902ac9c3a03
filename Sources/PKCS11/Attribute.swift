internal import CPKCS11
public import SecureMemory

/// A CK_ATTRIBUTE_TYPE.
public struct AttributeType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    public static let objectClass = AttributeType(rawValue: CKA_CLASS)
    public static let token = AttributeType(rawValue: CKA_TOKEN)
    public static let isPrivate = AttributeType(rawValue: CKA_PRIVATE)
    public static let label = AttributeType(rawValue: CKA_LABEL)
    public static let value = AttributeType(rawValue: CKA_VALUE)
    public static let keyType = AttributeType(rawValue: CKA_KEY_TYPE)
    public static let id = AttributeType(rawValue: CKA_ID)
    public static let sensitive = AttributeType(rawValue: CKA_SENSITIVE)
    public static let encrypt = AttributeType(rawValue: CKA_ENCRYPT)
    public static let decrypt = AttributeType(rawValue: CKA_DECRYPT)
    public static let wrap = AttributeType(rawValue: CKA_WRAP)
    public static let unwrap = AttributeType(rawValue: CKA_UNWRAP)
    public static let sign = AttributeType(rawValue: CKA_SIGN)
    public static let verify = AttributeType(rawValue: CKA_VERIFY)
    public static let derive = AttributeType(rawValue: CKA_DERIVE)
    public static let valueLength = AttributeType(rawValue: CKA_VALUE_LEN)
    public static let extractable = AttributeType(rawValue: CKA_EXTRACTABLE)
    public static let signRecover = AttributeType(rawValue: CKA_SIGN_RECOVER)
    /// Whether the key was made on this token.
    public static let local = AttributeType(rawValue: CKA_LOCAL)
    public static let neverExtractable = AttributeType(rawValue: CKA_NEVER_EXTRACTABLE)
    public static let alwaysSensitive = AttributeType(rawValue: CKA_ALWAYS_SENSITIVE)
    /// Whether each use of the key wants the PIN again.
    public static let alwaysAuthenticate = AttributeType(rawValue: CKA_ALWAYS_AUTHENTICATE)
    /// An array of CK_MECHANISM_TYPE. The macro is an expression, which Swift does not import.
    public static let allowedMechanisms = AttributeType(rawValue: UInt(CKF_ARRAY_ATTRIBUTE) | 0x600)
    public static let modulus = AttributeType(rawValue: CKA_MODULUS)
    public static let modulusBits = AttributeType(rawValue: CKA_MODULUS_BITS)
    public static let publicExponent = AttributeType(rawValue: CKA_PUBLIC_EXPONENT)
    public static let privateExponent = AttributeType(rawValue: CKA_PRIVATE_EXPONENT)
    public static let prime1 = AttributeType(rawValue: CKA_PRIME_1)
    public static let prime2 = AttributeType(rawValue: CKA_PRIME_2)
    public static let exponent1 = AttributeType(rawValue: CKA_EXPONENT_1)
    public static let exponent2 = AttributeType(rawValue: CKA_EXPONENT_2)
    public static let coefficient = AttributeType(rawValue: CKA_COEFFICIENT)
    /// DER of the curve: its object identifier.
    public static let ecParameters = AttributeType(rawValue: CKA_EC_PARAMS)
    /// DER OCTET STRING of the point on most tokens, the bare point on some.
    public static let ecPoint = AttributeType(rawValue: CKA_EC_POINT)
}

/// A CK_OBJECT_CLASS.
public struct ObjectClass: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    public static let publicKey = ObjectClass(rawValue: CKO_PUBLIC_KEY)
    public static let privateKey = ObjectClass(rawValue: CKO_PRIVATE_KEY)
    public static let secretKey = ObjectClass(rawValue: CKO_SECRET_KEY)
    public static let data = ObjectClass(rawValue: CKO_DATA)
    public static let certificate = ObjectClass(rawValue: CKO_CERTIFICATE)
}

/// A CK_KEY_TYPE.
public struct KeyType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    public static let aes = KeyType(rawValue: CKK_AES)
    public static let rsa = KeyType(rawValue: CKK_RSA)
    public static let ec = KeyType(rawValue: CKK_EC)
    public static let ecEdwards = KeyType(rawValue: CKK_EC_EDWARDS)
    public static let genericSecret = KeyType(rawValue: CKK_GENERIC_SECRET)
    public static let sha224HMAC = KeyType(rawValue: CKK_SHA224_HMAC)
    public static let sha256HMAC = KeyType(rawValue: CKK_SHA256_HMAC)
    public static let sha384HMAC = KeyType(rawValue: CKK_SHA384_HMAC)
    public static let sha512HMAC = KeyType(rawValue: CKK_SHA512_HMAC)
}

/// One line of a template: a type and a value of the width that the standard gives to that type.
public struct Attribute: Sendable {
    enum Value: Sendable {
        /// CK_BBOOL, one byte.
        case flag(Bool)
        /// CK_ULONG.
        case number(UInt)
        case bytes([UInt8])
        case secret(SecretBytes)
    }

    let type: AttributeType
    let value: Value

    public static func objectClass(_ value: ObjectClass) -> Attribute {
        .init(type: .objectClass, value: .number(value.rawValue))
    }
    public static func keyType(_ value: KeyType) -> Attribute { .init(type: .keyType, value: .number(value.rawValue)) }
    public static func id(_ value: [UInt8]) -> Attribute { .init(type: .id, value: .bytes(value)) }
    /// UTF-8, not terminated.
    public static func label(_ value: String) -> Attribute { .init(type: .label, value: .bytes(Array(value.utf8))) }
    /// The length of the key in bytes.
    public static func valueLength(_ value: Int) -> Attribute { .init(type: .valueLength, value: .number(UInt(value))) }
    /// The key itself.
    public static func value(_ value: SecretBytes) -> Attribute { .secret(.value, value) }
    /// Any attribute whose value is a string of bytes or a big integer, and secret.
    public static func secret(_ type: AttributeType, _ value: SecretBytes) -> Attribute {
        .init(type: type, value: .secret(value))
    }
    /// The length of an RSA modulus in bits.
    public static func modulusBits(_ value: Int) -> Attribute { .init(type: .modulusBits, value: .number(UInt(value))) }
    /// Any attribute whose value is a string of bytes or a big integer.
    public static func bytes(_ type: AttributeType, _ value: [UInt8]) -> Attribute {
        .init(type: type, value: .bytes(value))
    }
    /// Any CK_BBOOL attribute.
    public static func flag(_ type: AttributeType, _ value: Bool) -> Attribute {
        .init(type: type, value: .flag(value))
    }
}

/// What C_GetAttributeValue answered. An attribute that the object does not have, or that may not be read, is nil.
public struct AttributeValues: Sendable {
    var bytes: [AttributeType: [UInt8]]

    package init(_ bytes: [AttributeType: [UInt8]] = [:]) {
        self.bytes = bytes
    }

    public func bytes(_ type: AttributeType) -> [UInt8]? { bytes[type] }

    /// Nil also when the token gave it another length than one CK_BBOOL.
    public func flag(_ type: AttributeType) -> Bool? {
        guard let value = bytes[type], value.count == MemoryLayout<CK_BBOOL>.size else { return nil }
        return value[0] != 0
    }

    /// Nil also when the token gave it another length than one CK_ULONG.
    public func number(_ type: AttributeType) -> UInt? {
        guard let value = bytes[type], value.count == MemoryLayout<CK_ULONG>.size else { return nil }
        // CK_ULONG is in the byte order of the host.
        return value.reversed().reduce(0) { $0 << 8 | UInt($1) }.littleEndian
    }

    public func text(_ type: AttributeType) -> String? {
        bytes[type].map { String(decoding: $0, as: UTF8.self) }
    }
}

extension AttributeType: CustomStringConvertible {
    public var description: String {
        switch self {
        case .objectClass: "CKA_CLASS"
        case .token: "CKA_TOKEN"
        case .isPrivate: "CKA_PRIVATE"
        case .label: "CKA_LABEL"
        case .value: "CKA_VALUE"
        case .keyType: "CKA_KEY_TYPE"
        case .id: "CKA_ID"
        case .sensitive: "CKA_SENSITIVE"
        case .encrypt: "CKA_ENCRYPT"
        case .decrypt: "CKA_DECRYPT"
        case .wrap: "CKA_WRAP"
        case .unwrap: "CKA_UNWRAP"
        case .sign: "CKA_SIGN"
        case .verify: "CKA_VERIFY"
        case .derive: "CKA_DERIVE"
        case .valueLength: "CKA_VALUE_LEN"
        case .extractable: "CKA_EXTRACTABLE"
        case .signRecover: "CKA_SIGN_RECOVER"
        case .local: "CKA_LOCAL"
        case .neverExtractable: "CKA_NEVER_EXTRACTABLE"
        case .alwaysSensitive: "CKA_ALWAYS_SENSITIVE"
        case .alwaysAuthenticate: "CKA_ALWAYS_AUTHENTICATE"
        case .allowedMechanisms: "CKA_ALLOWED_MECHANISMS"
        case .modulus: "CKA_MODULUS"
        case .modulusBits: "CKA_MODULUS_BITS"
        case .publicExponent: "CKA_PUBLIC_EXPONENT"
        case .privateExponent: "CKA_PRIVATE_EXPONENT"
        case .prime1: "CKA_PRIME_1"
        case .prime2: "CKA_PRIME_2"
        case .exponent1: "CKA_EXPONENT_1"
        case .exponent2: "CKA_EXPONENT_2"
        case .coefficient: "CKA_COEFFICIENT"
        case .ecParameters: "CKA_EC_PARAMS"
        case .ecPoint: "CKA_EC_POINT"
        default: "CKA 0x\(String(rawValue, radix: 16))"
        }
    }
}

extension ObjectClass: CustomStringConvertible {
    public var description: String {
        switch self {
        case .publicKey: "CKO_PUBLIC_KEY"
        case .privateKey: "CKO_PRIVATE_KEY"
        case .secretKey: "CKO_SECRET_KEY"
        case .data: "CKO_DATA"
        case .certificate: "CKO_CERTIFICATE"
        default: "CKO 0x\(String(rawValue, radix: 16))"
        }
    }
}

extension KeyType: CustomStringConvertible {
    public var description: String {
        switch self {
        case .aes: "CKK_AES"
        case .rsa: "CKK_RSA"
        case .ec: "CKK_EC"
        case .ecEdwards: "CKK_EC_EDWARDS"
        case .genericSecret: "CKK_GENERIC_SECRET"
        case .sha224HMAC: "CKK_SHA224_HMAC"
        case .sha256HMAC: "CKK_SHA256_HMAC"
        case .sha384HMAC: "CKK_SHA384_HMAC"
        case .sha512HMAC: "CKK_SHA512_HMAC"
        default: "CKK 0x\(String(rawValue, radix: 16))"
        }
    }
}
