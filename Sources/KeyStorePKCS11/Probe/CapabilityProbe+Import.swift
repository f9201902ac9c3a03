internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

// Key material from outside: what the token unwraps, under which numbers, and what can be given to it.

extension CapabilityProbe {
    /// - Parameter key: the private half of an RSA pair of the probe that decrypts, and unwraps if the token has such.
    func probeImport(
        _ key: ObjectHandle, _ publicKey: PublicKey, _ capabilities: inout TokenCapabilities, _ slot: Slot,
        _ epoch: LoginEpoch
    ) throws(PKCS11Error) {
        for hash in [MechanismHash.sha256, .sha1] {
            try probeOpening(hash, key, publicKey, &capabilities, slot, epoch)
        }
        try probeKeyWrap(&capabilities, slot, epoch)
        for keySpec in KeySpec.allCases where keySpec.importRefusal == nil && Self.isTried(keySpec) {
            try probeImport(of: keySpec, key, publicKey, &capabilities, slot, epoch)
        }
        // The length of a modulus makes no difference.
        for other in [KeySpec.rsa3072, .rsa4096] {
            capabilities.findings[.unwrapping(other)] = capabilities.findings[.unwrapping(.rsa2048)]
            capabilities.findings[.importing(other)] = capabilities.findings[.importing(.rsa2048)]
            if capabilities.creates.contains(.rsa2048) { capabilities.creates.insert(other) }
            if capabilities.unwrapsFromKeyWrap.contains(.rsa2048) { capabilities.unwrapsFromKeyWrap.insert(other) }
        }
    }

    private static func isTried(_ keySpec: KeySpec) -> Bool { keySpec != .rsa3072 && keySpec != .rsa4096 }

    // MARK: Blocks

    /// C_UnwrapKey where it makes keys as they were asked for and, for what must be seen, keys that can be read; else
    /// whatever decrypts.
    private func probeOpening(
        _ hash: MechanismHash, _ key: ObjectHandle, _ publicKey: PublicKey,
        _ capabilities: inout TokenCapabilities, _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) {
        let opener = BlockOpener(hash: hash, opening: .unwrapping)
        let trial = OpeningTrial(opener: opener, publicKey: publicKey)
        let unwraps = try answer(slot, epoch) { session throws(PKCS11Error) in
            if let objection = try trial.run(with: key, in: &session) { return objection }
            let template = Self.template(.aes256, [.encryptDecrypt])
            guard case .junk = try opener.unwrap(Self.junk(publicKey), with: key, template.attributes, in: &session)
            else { return "a block that is none unwraps" }
            return nil
        }
        let reads = try answer(slot, epoch) { session throws(PKCS11Error) in
            let secret = KnownAnswers.ecbKey + [1, 2, 3]
            guard let block = try? publicKey.encrypt(secret.span, .rsaOAEP(hash.algorithm)),
                case .contents(let opened) = try opener.open(block, with: key, in: &session),
                Self.areEqual(opened, secret)
            else { return "what was unwrapped cannot be read" }
            return nil
        }
        if unwraps == .yes, reads == .yes {
            capabilities.blockOpenings[hash] = .unwrapping
        } else if let method = capabilities.decryptionMethod(hash) {
            capabilities.blockOpenings[hash] = .decryption(method)
        } else if unwraps == .yes {
            capabilities.blockOpenings[hash] = .unwrapping
        }
        capabilities.findings[.opening(hash)] = capabilities.blockOpenings[hash] == nil ? unwraps : .yes
    }

    /// Less than the modulus, and no OAEP.
    private static func junk(_ publicKey: PublicKey) -> [UInt8] {
        var junk = [UInt8](repeating: 0x5A, count: publicKey.kind.modulusByteCount ?? 0)
        junk[0] = 0
        return junk
    }

    // MARK: AES key wrap

    /// The number under which a known wrapping unwraps. Whether other bytes do not is asked too.
    private func probeKeyWrap(
        _ capabilities: inout TokenCapabilities, _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) {
        for number in KeyWrapNumber.allCases {
            let finding = try answer(slot, epoch) { session throws(PKCS11Error) in
                let template = Self.template(.aes256, [.encryptDecrypt])
                let wrapped = Self.wrapped(Self.secret(32))
                guard let key = try wrappingSecret(in: &session) else { return "no wrapping key" }
                guard
                    case .contents(let object) = try session.unwrap(
                        wrapped, .aesKeyWrap(number), with: key, template.attributes)
                else { return "a known wrapping does not unwrap" }
                let values = try session.attributes(of: object, template.readBackWithoutLength)
                if let deviation = template.deviation(of: values) { return deviation }
                if let objection = try objectionToUse(of: object, .symmetricDefault, template, in: &session) {
                    return objection
                }
                var changed = wrapped
                changed[wrapped.count - 1] ^= 1
                guard
                    case .junk = try session.unwrap(changed, .aesKeyWrap(number), with: key, template.attributes)
                else { return "a changed wrapping unwraps" }
                return nil
            }
            if finding == .yes {
                capabilities.keyWrap = number
                return
            }
        }
    }

    /// The AES key of FIPS 197 as a key that only unwraps; nil where the token takes none.
    private func wrappingSecret(in session: inout Session) throws(PKCS11Error) -> ObjectHandle? {
        try Self.imported(
            TokenImport.wrappingSecretTemplate.attributes + [.value(KnownAnswers.secret(KnownAnswers.ecbKey))],
            in: &session)
    }

    private static func wrapped(_ material: SecretBytes) -> [UInt8] {
        (try? AESKeyWrap.wrap(material, key: KnownAnswers.ecbKey.span)) ?? []
    }

    private static func secret(_ count: Int) -> SecretBytes {
        KnownAnswers.secret((0..<count).map { UInt8($0) &* 7 &+ 1 })
    }

    // MARK: Material

    private func probeImport(
        of keySpec: KeySpec, _ key: ObjectHandle, _ publicKey: PublicKey, _ capabilities: inout TokenCapabilities,
        _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) {
        guard let form = KeyForm(keySpec), let material = Self.material(keySpec, form) else { return }
        let template = Self.template(
            form, [Self.usage(keySpec)], keyType: capabilities.hmacKeyTypes[keySpec])
        let created = try answer(slot, epoch) { session throws(PKCS11Error) in
            guard let checked = try? HostMaterial(material, keySpec, form) else { return "no material" }
            let object = try session.createObject(template.attributes + checked.attributes)
            return try objection(to: object, keySpec, template, in: &session)
        }
        if created == .yes { capabilities.creates.insert(keySpec) }
        if form.secretByteCount != nil, let (hash, _) = capabilities.blockOpenings.first(where: { $1 == .unwrapping }) {
            let opener = BlockOpener(hash: hash, opening: .unwrapping)
            let unwrapped = try answer(slot, epoch) { session throws(PKCS11Error) in
                guard let block = try? publicKey.wrap(material, .rsaOAEP(hash.algorithm)),
                    case .contents(let object) = try opener.unwrap(
                        block, with: key, template.attributes, in: &session)
                else { return "it does not unwrap" }
                return try objection(to: object, keySpec, template, in: &session)
            }
            if unwrapped == .yes { capabilities.unwrapsFromBlock.insert(keySpec) }
            capabilities.findings[.unwrapping(keySpec)] = unwrapped
        }
        // No private key of a curve shows its public key.
        if let number = capabilities.keyWrap, keySpec.keyPairKind?.family != .ellipticCurve {
            let unwrapped = try answer(slot, epoch) { session throws(PKCS11Error) in
                guard let key = try wrappingSecret(in: &session),
                    case .contents(let object) = try session.unwrap(
                        Self.wrapped(material), .aesKeyWrap(number), with: key, template.attributes)
                else { return "it does not unwrap" }
                return try objection(to: object, keySpec, template, in: &session)
            }
            if unwrapped == .yes { capabilities.unwrapsFromKeyWrap.insert(keySpec) }
            if capabilities.findings[.unwrapping(keySpec)] != .yes {
                capabilities.findings[.unwrapping(keySpec)] = unwrapped
            }
        }
        let isTaken =
            created == .yes || capabilities.unwrapsFromBlock.contains(keySpec)
            || capabilities.unwrapsFromKeyWrap.contains(keySpec)
        capabilities.findings[.importing(keySpec)] = isTaken ? .yes : created
    }

    /// Why the object is not the known material.
    private func objection(
        to object: ObjectHandle, _ keySpec: KeySpec, _ template: KeyTemplate, in session: inout Session
    ) throws(PKCS11Error) -> String? {
        let values = try session.attributes(of: object, template.readBack)
        if let deviation = template.deviation(of: values) { return deviation }
        if template.form.secretByteCount != nil, values.number(.valueLength) == nil {
            return "the length of the key is not known"
        }
        return try objectionToUse(of: object, keySpec, template, in: &session)
    }

    /// Why what the object does is not what the known material does.
    private func objectionToUse(
        of object: ObjectHandle, _ keySpec: KeySpec, _ template: KeyTemplate, in session: inout Session
    ) throws(PKCS11Error) -> String? {
        let isRight: Bool
        switch template.form {
        case .aes256:
            var mechanism = Mechanism.aesECB
            let block = try? AES256ECB.encryptBlock(KnownAnswers.ecbPlaintext.span, key: Self.secret(32))
            let output = try session.encrypt(KnownAnswers.ecbPlaintext.span, &mechanism, key: object)
            isRight = block.map { Self.areEqual($0, output) } ?? false
        case .hmac(let hash):
            guard case .mac(let software) = keySpec.materialForm else { return "not a MAC" }
            let message = KnownAnswers.hmacMessage
            let code = try session.sign(message.span, .hmac(hash: hash), key: object)
            let expected = try? software.authenticate(message.span, key: Self.secret(hash.byteCount))
            isRight = code == expected
        case .rsa, .ec, .ed25519:
            guard let known = ImportProbeKeys.key(keySpec),
                case .signing(let algorithm)? = keySpec.algorithms.first(
                    where: { if case .signing = $0 { true } else { false } })
            else { return "no known key" }
            if case .rsa = template.form {
                let values = try session.attributes(of: object, RSAMaterial.attributes)
                guard RSAMaterial.publicKey(of: values) == known.publicKey.spki else {
                    return "the private key does not show its public key"
                }
            }
            return try KeyTrial(form: template.form, publicKey: known.publicKey, pointEncoding: .bare)
                .run(.signing(algorithm), oaep: .token, with: object, in: &session)
        }
        return isRight ? nil : "another key came in"
    }

    private static func material(_ keySpec: KeySpec, _ form: KeyForm) -> SecretBytes? {
        if let count = form.secretByteCount { return secret(count) }
        return try? ImportProbeKeys.key(keySpec)?.pkcs8()
    }

    private static func usage(_ keySpec: KeySpec) -> KeyUsageType {
        switch keySpec.materialForm {
        case .symmetric: .encryptDecrypt
        case .mac: .generateVerifyMac
        case .keyPair: .signVerify
        }
    }
}

/// Key pairs that tokens are probed with: nobody's, and made once in a process, because RSA keys are dear to make.
private enum ImportProbeKeys {
    private static let keys: [AsymmetricKeyKind: PrivateKey] = {
        var keys: [AsymmetricKeyKind: PrivateKey] = [:]
        for kind in [AsymmetricKeyKind.rsa2048, .p256, .p384, .p521, .secp256k1] {
            keys[kind] = try? PrivateKey.generate(kind)
        }
        return keys
    }()

    static func key(_ keySpec: KeySpec) -> PrivateKey? { keySpec.keyPairKind.flatMap { keys[$0] } }
}
