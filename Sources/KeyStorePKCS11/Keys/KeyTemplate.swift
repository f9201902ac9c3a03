internal import KMSModel
internal import PKCS11

/// The attributes of a key that we make, given in full and read back in full.
///
/// Every usage flag is given, TRUE or FALSE: SoftHSM and openCryptoki give an AES key CKA_SIGN and its like when nobody
/// says otherwise. The key is sensitive, not extractable and private, and can do what its usage needs and nothing
/// else.
struct KeyTemplate: Sendable {
    let form: KeyForm
    let id: [UInt8]
    let label: String
    /// False makes it in session memory (probe).
    let onToken: Bool
    /// CKA_KEY_TYPE where a token wants another than the usual one.
    let keyType: KeyType
    /// The usages of which the key gets the flags: one, except for a probe and for keys that only unwrap.
    let usages: Set<KeyUsageType>
    /// Whether the key unwraps others.
    let unwraps: Bool

    init(
        _ form: KeyForm, usages: Set<KeyUsageType>, id: [UInt8], label: String, onToken: Bool, keyType: KeyType? = nil,
        unwraps: Bool = false
    ) {
        self.form = form
        self.usages = usages
        self.unwraps = unwraps
        self.id = id
        self.label = label
        self.onToken = onToken
        self.keyType = keyType ?? form.keyType
    }

    // MARK: The key

    private var objectClass: ObjectClass { form.isKeyPair ? .privateKey : .secretKey }

    /// The secret key, or the private half of a pair, without its value.
    var attributes: [Attribute] {
        [.objectClass(objectClass), .keyType(keyType), .flag(.token, onToken), .id(id), .label(label)]
            + flags.map { .flag($0.type, $0.value) }
    }

    /// For C_GenerateKey, which wants the length too.
    var generationAttributes: [Attribute] {
        attributes + (form.secretByteCount.map { [.valueLength($0)] } ?? [])
    }

    private var flags: [(type: AttributeType, value: Bool)] {
        let encrypts = usages.contains(.encryptDecrypt)
        // A MAC is verified by making it again: no key needs CKA_VERIFY.
        let signs = usages.contains(.signVerify) || usages.contains(.generateVerifyMac)
        let always: [(type: AttributeType, value: Bool)] = [
            (.isPrivate, true), (.sensitive, true), (.extractable, false), (.decrypt, encrypts), (.sign, signs),
            (.unwrap, unwraps), (.derive, usages.contains(.keyAgreement)),
        ]
        return always
            + (form.isKeyPair
                ? [(.signRecover, false)] : [(.encrypt, encrypts), (.verify, false), (.wrap, false)])
    }

    // MARK: The public half

    /// The public half is a session object for the time of its reading, so that no token keeps an object that nobody
    /// needs. Its flags mirror the private half's: some tokens check a new pair by them.
    var publicAttributes: [Attribute] {
        let flags: [(AttributeType, Bool)] = [
            (.token, false), (.isPrivate, false), (.encrypt, usages.contains(.encryptDecrypt)),
            (.verify, usages.contains(.signVerify)), (.wrap, unwraps), (.derive, usages.contains(.keyAgreement)),
        ]
        let domain: [Attribute] =
            switch form {
            case .rsa(let modulusBits): [.modulusBits(modulusBits), .bytes(.publicExponent, [1, 0, 1])]
            case .ec(let curve): [.bytes(.ecParameters, curve.parameters)]
            case .ed25519: [.bytes(.ecParameters, PublicKeyInfo.ed25519)]
            case .aes256, .hmac: []
            }
        return [.objectClass(.publicKey), .keyType(keyType), .id(id), .label(label)]
            + flags.map { .flag($0.0, $0.1) } + domain
    }

    // MARK: Reading back

    /// The attributes to read back after a key was made. They are read, not believed: openCryptoki ignores some.
    var readBack: [AttributeType] {
        [.objectClass, .keyType, .token, .id] + flags.map(\.type)
            + (form.isKeyPair ? [.value, .privateExponent, .ecParameters] : [.value, .valueLength])
    }

    /// The same without the length, which not every token knows of a key that it unwrapped (SoftHSM says 0). For keys
    /// whose length is told by what they do.
    var readBackWithoutLength: [AttributeType] { readBack.filter { $0 != .valueLength } }

    /// Nil when `values` is what was asked for, else what is wrong.
    func deviation(of values: AttributeValues) -> String? {
        if values.number(.objectClass) != objectClass.rawValue { return "CKA_CLASS is not \(objectClass)" }
        if values.number(.keyType) != keyType.rawValue { return "CKA_KEY_TYPE is not 0x\(hex(keyType.rawValue))" }
        if values.flag(.token) != onToken { return "CKA_TOKEN is not \(onToken)" }
        if values.bytes(.id) != id { return "CKA_ID is not what was asked for" }
        for secret in [AttributeType.value, .privateExponent] where values.bytes(secret) != nil {
            return "\(secret) can be read"
        }
        if case .ec(let curve) = form, let parameters = values.bytes(.ecParameters), parameters != curve.parameters {
            return "CKA_EC_PARAMS is another curve"
        }
        if let length = form.secretByteCount, let count = values.number(.valueLength), count != length {
            return "CKA_VALUE_LEN is \(count)"
        }
        for flag in flags where values.flag(flag.type) != flag.value {
            // Not every token has this one at all, and then no key of it can do what it would allow.
            if flag.type == .signRecover, values.bytes(.signRecover) == nil { continue }
            return "\(flag.type) is not \(flag.value)"
        }
        return nil
    }

    private func hex(_ number: UInt) -> String { String(number, radix: 16) }
}
