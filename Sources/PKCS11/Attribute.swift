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
}

/// A CK_OBJECT_CLASS.
public struct ObjectClass: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    public static let privateKey = ObjectClass(rawValue: CKO_PRIVATE_KEY)
    public static let secretKey = ObjectClass(rawValue: CKO_SECRET_KEY)
}

/// A CK_KEY_TYPE.
public struct KeyType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    public static let aes = KeyType(rawValue: CKK_AES)
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
    public static func value(_ value: SecretBytes) -> Attribute { .init(type: .value, value: .secret(value)) }
    /// Any CK_BBOOL attribute.
    public static func flag(_ type: AttributeType, _ value: Bool) -> Attribute {
        .init(type: type, value: .flag(value))
    }
}

/// What C_GetAttributeValue answered. An attribute that the object does not have, or that may not be read, is nil.
public struct AttributeValues: Sendable {
    var bytes: [AttributeType: [UInt8]] = [:]

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
        default: "CKA 0x\(String(rawValue, radix: 16))"
        }
    }
}
