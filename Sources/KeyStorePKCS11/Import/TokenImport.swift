internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// One import: from the bytes that somebody sent to a key on the token, by the least exposed way that the token was
/// seen to go.
///
/// Inside the token where it unwraps such keys; else, and where it does not take what it unwrapped, in memory that is
/// wiped. What the token does not take is judged here once more, so that what is wrong with it is said in the same
/// words as by other key stores. What a token takes although it is wrong (SoftHSM: RSA keys whose CRT parts are another
/// key's) is found by trying the new key.
struct TokenImport: Sendable {
    enum Answer: Sendable {
        case kept(ObjectHandle, publicKey: [UInt8]?, ImportPath)
        case doesNotUnwrap
        /// It unwraps, but is not what the key spec needs; the reason.
        case incorrect(String)
        /// The token did not do what it was asked for; the reason.
        case failure(String)
    }

    /// What is being made.
    let template: KeyTemplate
    let keySpec: KeySpec
    /// Something that the new key can do, to try it with; nil for secret keys.
    let trial: KeyAlgorithm?
    let scheme: WrappingScheme
    let opener: BlockOpener
    let capabilities: TokenCapabilities
    /// The block of OAEP, as long as the modulus of the wrapping key.
    let block: [UInt8]
    /// What is wrapped under the AES key in the block; empty without one.
    let rest: [UInt8]

    private var form: KeyForm { template.form }

    func run(with wrappingKey: ObjectHandle, in session: inout Session) throws(PKCS11Error) -> Answer {
        switch scheme {
        case .rsaOAEP: try unwrapBlock(with: wrappingKey, in: &session)
        case .rsaAESKeyWrap: try unwrapRest(with: wrappingKey, in: &session)
        case .sm2: .failure("the token store does not know SM2")
        }
    }

    /// Whether an answer means that no object has been made that stays: neither kept, nor by a C_UnwrapKey that has
    /// said that it failed.
    func leavesNothing(_ answer: Answer) -> Bool {
        switch answer {
        case .kept, .failure: false
        case .incorrect, .doesNotUnwrap:
            switch scheme {
            case .rsaOAEP: !unwrapsBlockOnToken
            case .rsaAESKeyWrap: keyWrapOnToken == nil
            case .sm2: true
            }
        }
    }

    // MARK: The material in the block

    private var unwrapsBlockOnToken: Bool {
        opener.opening == .unwrapping && capabilities.unwrapsFromBlock.contains(keySpec)
    }

    private func unwrapBlock(
        with wrappingKey: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> Answer {
        if unwrapsBlockOnToken,
            case .contents(let object) = try opener.unwrap(
                block, with: wrappingKey, template.attributes, in: &session)
        {
            return try keep(object, in: &session)
        }
        switch try opener.open(block, with: wrappingKey, in: &session) {
        case .contents(let material): return try create(material, in: &session)
        case .junk(let error): return try doesNotUnwrap(error)
        }
    }

    // MARK: The material under an AES key in the block

    private var keyWrapOnToken: KeyWrapNumber? {
        capabilities.unwrapsFromKeyWrap.contains(keySpec) && hasUsualLength ? capabilities.keyWrap : nil
    }

    private func unwrapRest(
        with wrappingKey: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> Answer {
        if let number = keyWrapOnToken {
            let unwrapped = try withWrappingSecret(wrappingKey, in: &session) { key, session throws(PKCS11Error) in
                try session.unwrap(rest, .aesKeyWrap(number), with: key, template.attributes)
            }
            if case .contents(let object) = unwrapped { return try keep(object, in: &session) }
        }
        let decoy: SecretBytes
        let material: SecretBytes
        let opened = try opener.open(block, with: wrappingKey, in: &session)
        do throws(CryptographyError) {
            // A wrong block fails below, where a wrong rest fails too: see `Cryptography.PrivateKey.unwrap`.
            decoy = try SystemRandom.secret(AES256GCM.keyByteCount)
            let key = Self.wrappingSecret(opened, orElse: decoy)
            material = try key.withBytes { key throws(CryptographyError) in
                try AESKeyWrap.unwrap(rest.span, key: key)
            }
        } catch {
            guard error.code == .authenticationFailure else { return .failure("\(error)") }
            if case .junk(let error) = opened { return try doesNotUnwrap(error) }
            return .doesNotUnwrap
        }
        return try create(material, in: &session)
    }

    private static func wrappingSecret(_ opened: Opened<SecretBytes>, orElse decoy: SecretBytes) -> SecretBytes {
        guard case .contents(let key) = opened, AESKeyWrap.keyByteCounts.contains(key.count) else { return decoy }
        return key
    }

    /// Lends the AES key of the block as a key of the session that only unwraps. Where there is none, or the token made
    /// another than was asked for, it is a key of nobody, under which nothing unwraps.
    private func withWrappingSecret<R>(
        _ wrappingKey: ObjectHandle, in session: inout Session,
        _ body: (ObjectHandle, inout Session) throws(PKCS11Error) -> R
    ) throws(PKCS11Error) -> R {
        let template = Self.wrappingSecretTemplate
        let decoy = try session.generateKey(.aesKeyGeneration, template.generationAttributes)
        var key: ObjectHandle?
        do throws(PKCS11Error) {
            switch opener.opening {
            case .unwrapping:
                if case .contents(let object) = try opener.unwrap(
                    block, with: wrappingKey, template.attributes, in: &session)
                {
                    key = object
                }
            case .decryption:
                if case .contents(let secret) = try opener.open(block, with: wrappingKey, in: &session),
                    secret.count == template.form.secretByteCount
                {
                    key = try session.createObject(template.attributes + [.value(secret)])
                }
            }
            if let made = key {
                // Of another length, it is not the one under which the rest is wrapped.
                let values = try session.attributes(of: made, template.readBackWithoutLength)
                if template.deviation(of: values) != nil {
                    try session.destroyObject(made)
                    key = nil
                }
            }
            let result = try body(key ?? decoy, &session)
            if let key { try session.destroyObject(key) }
            try session.destroyObject(decoy)
            return result
        } catch {
            if let key { try? session.destroyObject(key) }
            try? session.destroyObject(decoy)
            throw error
        }
    }

    static let wrappingSecretTemplate = KeyTemplate(
        .aes256, usages: [], id: Canary.id + [1], label: "strongroom import", onToken: false, unwraps: true)

    /// Whether the rest can be a key of two primes in its plain form. A longer one (a third prime, attributes,
    /// something after the key) is looked at here: tokens are not as strict.
    private var hasUsualLength: Bool {
        guard case .rsa(let modulusBits) = form else { return true }
        return rest.count <= RSAMaterial.longestByteCount(modulusBits: modulusBits) + 15
    }

    // MARK: What was unwrapped

    /// A key that the token unwrapped: whether it is the one that the spec needs, and the one that was asked for.
    private func keep(_ object: ObjectHandle, in session: inout Session) throws(PKCS11Error) -> Answer {
        let publicKey: [UInt8]?
        do throws(PKCS11Error) {
            switch try judge(object, in: &session) {
            case .failure(let objection):
                try session.destroyObject(object)
                return .incorrect(objection.reason)
            case .success(let info): publicKey = info
            }
        } catch {
            try? session.destroyObject(object)
            guard error.returnValue != .objectHandleInvalid else { return .failure("the token did not keep the key") }
            throw error
        }
        return try keep(object, publicKey, isMaterialInHost: false, in: &session)
    }

    private struct Objection: Error { let reason: String }

    private func judge(
        _ object: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> Result<[UInt8]?, Objection> {
        if let expected = form.secretByteCount {
            let count = try session.attributes(of: object, [.valueLength]).number(.valueLength)
            guard let count, count == expected else {
                return .failure(Objection(reason: "the material has \(count ?? 0) bytes instead of \(expected)"))
            }
            return .success(nil)
        }
        let info = RSAMaterial.publicKey(of: try session.attributes(of: object, RSAMaterial.attributes))
        guard let info, let publicKey = try? KeyTrial.publicKey(info, keySpec) else {
            return .failure(Objection(reason: "the material is not the private key of an \(keySpec.rawValue) key pair"))
        }
        return .success(publicKey.spki)
    }

    /// Material that was in host memory: checked here, and given to the token.
    private func create(_ material: SecretBytes, in session: inout Session) throws(PKCS11Error) -> Answer {
        let checked: HostMaterial
        do throws(CryptographyError) {
            checked = try HostMaterial(material, keySpec, form)
        } catch {
            switch error.code {
            case .invalidKey, .invalidLength: return .incorrect(error.reason)
            case .authenticationFailure, .unsupportedAlgorithm, .failure: return .failure("\(error)")
            }
        }
        guard capabilities.creates.contains(keySpec) else {
            return .failure("the token does not take \(keySpec.rawValue) keys by C_CreateObject")
        }
        let object = try session.createObject(template.attributes + checked.attributes)
        return try keep(object, checked.publicKey, isMaterialInHost: true, in: &session)
    }

    private func keep(
        _ object: ObjectHandle, _ publicKey: [UInt8]?, isMaterialInHost: Bool, in session: inout Session
    ) throws(PKCS11Error) -> Answer {
        var isTrialLost = false
        let made = try KeyMaking.keep(object, publicKey: publicKey, template, in: &session) {
            object, publicKey, session throws(PKCS11Error) in
            guard publicKey != nil else { return nil }
            let objection = try TokenKeyStore.objection(
                to: object, publicKey, keySpec, trial, capabilities, in: &session)
            isTrialLost = objection != nil
            return objection
        }
        switch made {
        case .sound(let object, let publicKey):
            return .kept(object, publicKey: publicKey, path(isMaterialInHost: isMaterialInHost))
        case .wrong(let reason):
            // The parts of a key that was looked at here belong together; then it is the token that fails.
            return isTrialLost && !isMaterialInHost
                ? .incorrect("the parts of the private key do not belong together") : .failure(reason)
        }
    }

    private func path(isMaterialInHost: Bool) -> ImportPath {
        let block = opener.opening.description(opener.hash)
        let keyWrap = capabilities.keyWrap.map { $0 == .kwp ? "CKM_AES_KEY_WRAP_KWP" : "CKM_AES_KEY_WRAP_PAD" }
        let steps: [String] =
            switch (scheme, isMaterialInHost) {
            case (.rsaAESKeyWrap, false): ["AES key by \(block)", "material by C_UnwrapKey with \(keyWrap ?? "")"]
            case (.rsaAESKeyWrap, true): ["AES key by \(block)", "AES key wrap in host memory", "C_CreateObject"]
            case (_, false): ["material by \(block)"]
            case (_, true): ["material by \(block)", "C_CreateObject"]
            }
        return ImportPath(description: steps.joined(separator: "; "), exposesMaterialToHost: isMaterialInHost)
    }

    /// A session in which a decryption failed may be in the middle of it still: the error closes it. C_UnwrapKey is one
    /// call and leaves nothing.
    private func doesNotUnwrap(_ error: PKCS11Error?) throws(PKCS11Error) -> Answer {
        if let error, error.function == .decrypt, !error.leavesSessionUsable { throw error }
        return .doesNotUnwrap
    }
}

/// RSA keys that a token unwrapped by itself.
enum RSAMaterial {
    static let attributes: [AttributeType] = [.modulus, .publicExponent]

    /// DER SubjectPublicKeyInfo; nil where the private key does not show it.
    static func publicKey(of values: AttributeValues) -> [UInt8]? {
        guard let modulus = values.bytes(.modulus), let exponent = values.bytes(.publicExponent) else { return nil }
        return PublicKeyInfo.encode(modulus: modulus, publicExponent: exponent)
    }

    /// The longest PKCS#8 PrivateKeyInfo of two primes, an exponent of 65537 and no attributes.
    static func longestByteCount(modulusBits: Int) -> Int {
        let whole = DER.element(DER.integer, [UInt8](repeating: 1, count: modulusBits / 8 + 1))
        let half = DER.element(DER.integer, [UInt8](repeating: 1, count: modulusBits / 16 + 1))
        let version: [UInt8] = [DER.integer, 1, 0]
        let numbers = [version, whole, [DER.integer, 3, 1, 0, 1], whole, half, half, half, half, half]
        let key = DER.element(DER.octetString, DER.element(DER.sequence, numbers.flatMap { $0 }))
        // rsaEncryption with NULL has 15 bytes.
        return DER.sequence(version, [UInt8](repeating: 0, count: 15), key).count
    }
}
