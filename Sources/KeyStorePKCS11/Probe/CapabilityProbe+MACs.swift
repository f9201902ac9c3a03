internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

// HMAC keys: whether they can be made, of which key type, and whether the codes are right.

extension CapabilityProbe {
    func probeMACs(
        _ capabilities: inout TokenCapabilities, _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) {
        for keySpec in [KeySpec.hmac224, .hmac256, .hmac384, .hmac512] {
            guard let form = KeyForm(keySpec), case .hmac(let hash) = form else { continue }
            // The generic type is what most tokens want; some want one type for each hash.
            var firstFindings: [TokenCapabilities.Need: TokenCapabilities.Finding]?
            for keyType in [form.keyType, form.typedKeyType] {
                guard let keyType else { continue }
                try noteMAC(keySpec, form, hash, keyType, in: &capabilities, slot, epoch)
                if capabilities.refusal(of: keySpec, usage: .generateVerifyMac) == nil {
                    capabilities.hmacKeyTypes[keySpec] = keyType
                    break
                }
                // Of two refusals the first one tells more.
                if let firstFindings {
                    capabilities.findings = firstFindings
                } else {
                    firstFindings = capabilities.findings
                }
            }
        }
    }

    private func noteMAC(
        _ keySpec: KeySpec, _ form: KeyForm, _ hash: MechanismHash, _ keyType: KeyType,
        in capabilities: inout TokenCapabilities, _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) {
        guard let algorithm = keySpec.algorithms.first else { return }
        let template = Self.template(form, [.generateVerifyMac], keyType: keyType)
        try note(.generation(keySpec), in: &capabilities, slot, epoch) { session throws(PKCS11Error) in
            switch try KeyMaking.make(template, in: &session) {
            case .sound: nil
            case .wrong(let reason): reason
            }
        }
        guard capabilities.findings[.generation(keySpec)] == .yes else { return }
        let imports = capabilities.importsSecretKeys
        try note(.algorithm(algorithm, keySpec), in: &capabilities, slot, epoch) { session throws(PKCS11Error) in
            try objection(to: hash, template, imports, in: &session)
        }
    }

    private func objection(
        to hash: MechanismHash, _ template: KeyTemplate, _ imports: Bool, in session: inout Session
    ) throws(PKCS11Error) -> String? {
        let message = KnownAnswers.hmacMessage
        let key = try session.generateKey(template.form.generation, template.generationAttributes)
        let code = try session.sign(message.span, .hmac(hash: hash), key: key)
        guard code.count == hash.byteCount else { return "the code has \(code.count) bytes" }
        guard try session.sign(message.span, .hmac(hash: hash), key: key) == code else { return "the code changes" }
        guard try session.sign((message + [0]).span, .hmac(hash: hash), key: key) != code else {
            return "two messages have one code"
        }
        guard imports,
            let known = try Self.imported(
                template.attributes + [.value(KnownAnswers.secret(KnownAnswers.hmacKey))], in: &session)
        else { return nil }
        return try session.sign(message.span, .hmac(hash: hash), key: known) == KnownAnswers.hmac(hash)
            ? nil : "a wrong code"
    }
}
