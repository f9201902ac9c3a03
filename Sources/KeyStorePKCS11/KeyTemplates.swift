internal import PKCS11

/// The attributes of the keys that we make. Every usage flag is given, TRUE or FALSE: SoftHSM and openCryptoki give an
/// AES key CKA_SIGN and its like when nobody says otherwise.
enum KeyTemplates {
    static let aes256ByteCount = 32

    /// An AES-256 key that encrypts and decrypts, does nothing else and never leaves the token.
    ///
    /// - Parameter onToken: false makes it in session memory (probe).
    static func aes256(id: [UInt8], label: String, onToken: Bool) -> [Attribute] {
        [
            .objectClass(.secretKey), .keyType(.aes), .flag(.token, onToken), .id(id), .label(label),
        ] + aesFlags.map { .flag($0.type, $0.value) }
    }

    /// What a copy in session memory changes; everything else it takes from its original.
    static let sessionCopy: [Attribute] = [.flag(.token, false)]

    private static let aesFlags: [(type: AttributeType, value: Bool)] = [
        (.isPrivate, true), (.sensitive, true), (.extractable, false),
        (.encrypt, true), (.decrypt, true),
        (.sign, false), (.verify, false), (.wrap, false), (.unwrap, false), (.derive, false),
    ]

    /// The attributes to read back after a key was made. They are read, not believed: openCryptoki ignores some.
    static let readBack: [AttributeType] =
        [.objectClass, .keyType, .token, .id] + aesFlags.map(\.type) + [.value, .valueLength]

    /// Nil when `values` is what `aes256` asked for, else what is wrong.
    static func deviation(of values: AttributeValues, id: [UInt8], onToken: Bool) -> String? {
        if values.number(.objectClass) != ObjectClass.secretKey.rawValue { return "CKA_CLASS is not CKO_SECRET_KEY" }
        if values.number(.keyType) != KeyType.aes.rawValue { return "CKA_KEY_TYPE is not CKK_AES" }
        if values.flag(.token) != onToken { return "CKA_TOKEN is not \(onToken)" }
        if values.bytes(.id) != id { return "CKA_ID is not what was asked for" }
        if values.bytes(.value) != nil { return "CKA_VALUE can be read" }
        if let count = values.number(.valueLength), count != aes256ByteCount { return "CKA_VALUE_LEN is \(count)" }
        for flag in aesFlags where values.flag(flag.type) != flag.value {
            return "\(flag.type) is not \(flag.value)"
        }
        return nil
    }
}
