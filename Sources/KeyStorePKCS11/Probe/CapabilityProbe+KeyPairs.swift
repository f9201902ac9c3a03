internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

// Key pairs: one of each kind is made in session memory, tried, and compared with software.

extension CapabilityProbe {
    /// A pair of the probe that lives as long as its session.
    private struct Pair {
        let key: ObjectHandle
        let publicKey: PublicKey
        let form: KeyForm

        func trial(_ pointEncoding: SharedSecret.PointEncoding = .bare) -> KeyTrial {
            KeyTrial(form: form, publicKey: publicKey, pointEncoding: pointEncoding)
        }
    }

    func probeKeyPairs(
        _ capabilities: inout TokenCapabilities, _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) {
        // One pair for every usage, which keys of the store never have: it is destroyed with its session.
        try probePair([.rsa2048, .rsa3072, .rsa4096], [.encryptDecrypt, .signVerify], &capabilities, slot, epoch)
        for keySpec in [KeySpec.eccNistP256, .eccNistP384, .eccNistP521] {
            try probePair([keySpec], [.signVerify, .keyAgreement], &capabilities, slot, epoch)
        }
        for keySpec in [KeySpec.eccSecgP256k1, .eccNistEdwards25519] {
            try probePair([keySpec], [.signVerify], &capabilities, slot, epoch)
        }
    }

    /// - Parameter keySpecs: the first one is made and tried; what was found holds for all. RSA pairs take seconds on
    ///   some tokens, and what a token does with 2048 bits it does with 4096.
    private func probePair(
        _ keySpecs: [KeySpec], _ usages: Set<KeyUsageType>, _ capabilities: inout TokenCapabilities, _ slot: Slot,
        _ epoch: LoginEpoch
    ) throws(PKCS11Error) {
        guard let keySpec = keySpecs.first, let form = KeyForm(keySpec) else { return }
        // Holds the pair while the questions are asked in sessions of their own.
        var keeper = try slot.openSession(epoch: epoch)
        var findings: [TokenCapabilities.Need: TokenCapabilities.Finding] = [:]
        let pair = try makePair(keySpec, form, usages, in: &keeper)
        switch pair {
        case .failure(let reason):
            findings[.generation(keySpec)] = .no(reason.text)
        case .success(let pair):
            findings[.generation(keySpec)] = .yes
            for algorithm in keySpec.algorithms {
                findings[.algorithm(algorithm, keySpec)] =
                    try ask(algorithm, pair, &capabilities, slot, epoch)
            }
            if case .rsa = form { try probeImport(pair.key, pair.publicKey, &capabilities, slot, epoch) }
        }
        for other in keySpecs {
            for (need, finding) in findings { capabilities.findings[need.about(other)] = finding }
        }
    }

    private struct Reason: Error { let text: String }

    /// An RSA pair that unwraps too, where the token makes such.
    private func makePair(
        _ keySpec: KeySpec, _ form: KeyForm, _ usages: Set<KeyUsageType>, in session: inout Session
    ) throws(PKCS11Error) -> Result<Pair, Reason> {
        if case .rsa = form,
            case .success(let pair) = try makePair(keySpec, Self.template(form, usages, unwraps: true), in: &session)
        {
            return .success(pair)
        }
        return try makePair(keySpec, Self.template(form, usages), in: &session)
    }

    private func makePair(
        _ keySpec: KeySpec, _ template: KeyTemplate, in session: inout Session
    ) throws(PKCS11Error) -> Result<Pair, Reason> {
        do throws(PKCS11Error) {
            switch try KeyMaking.make(template, in: &session) {
            case .wrong(let reason):
                return .failure(Reason(text: reason))
            case .sound(_, publicKey: nil):
                return .failure(Reason(text: "there is no public key"))
            case .sound(let key, publicKey: let info?):
                do {
                    let publicKey = try KeyTrial.publicKey(info, keySpec)
                    return .success(Pair(key: key, publicKey: publicKey, form: template.form))
                } catch {
                    return .failure(Reason(text: "the public key is not valid: \(error)"))
                }
            }
        } catch {
            try rethrow(error, unlessWell: session.slot, session.epoch)
            return .failure(Reason(text: error.description))
        }
    }

    /// One algorithm, in a session of its own: a refusal may leave an operation active.
    private func ask(
        _ algorithm: KeyAlgorithm, _ pair: Pair, _ capabilities: inout TokenCapabilities,
        _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) -> TokenCapabilities.Finding {
        switch algorithm {
        case .signing(.ed25519PhSha512):
            return .no("no token is known that signs Ed25519ph as the API means it")
        case .encryption(let encryption):
            return try askOAEP(encryption, pair, &capabilities, slot, epoch)
        case .keyAgreement:
            return try askAgreement(pair, &capabilities, slot, epoch)
        default:
            return try answer(slot, epoch) { session throws(PKCS11Error) in
                return try pair.trial().run(algorithm, oaep: .token, with: pair.key, in: &session)
            }
        }
    }

    /// On the token where it does it rightly, else here after the bare operation.
    private func askOAEP(
        _ algorithm: EncryptionAlgorithmSpec, _ pair: Pair, _ capabilities: inout TokenCapabilities,
        _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) -> TokenCapabilities.Finding {
        guard let hash = TokenOAEP.hash(of: algorithm) else { return .no("not an algorithm of RSA keys") }
        let trial = pair.trial()
        var firstReason: String?
        for method in [TokenOAEP.Method.token, .bareOperation] {
            var junkValue: ReturnValue?
            let finding = try answer(slot, epoch) { session throws(PKCS11Error) in
                let objection = try trial.run(.encryption(algorithm), oaep: method, with: pair.key, in: &session)
                guard objection == nil, method == .token else { return objection }
                junkValue = try trial.junkAnswer(hash, with: pair.key, in: &session)
                return junkValue == nil ? "a ciphertext that is none decrypts" : nil
            }
            guard case .no(let reason) = finding else {
                capabilities.oaepMethods[algorithm] = method
                capabilities.badPaddingReturnValues[algorithm] = junkValue
                return .yes
            }
            firstReason = firstReason ?? reason
        }
        return .no(firstReason ?? "not asked")
    }

    private func askAgreement(
        _ pair: Pair, _ capabilities: inout TokenCapabilities, _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) -> TokenCapabilities.Finding {
        // P-256 comes first, and its awkward point decides for all.
        let encodings = pair.form == .ec(.p256) ? [.bare, .der] : [capabilities.pointEncoding]
        var firstReason: String?
        for encoding in encodings {
            let finding = try answer(slot, epoch) { session throws(PKCS11Error) in
                let objection = try pair.trial(encoding).run(
                    .keyAgreement(.ecdh), oaep: .token, with: pair.key, in: &session)
                if let objection { return objection }
                return pair.form == .ec(.p256)
                    ? try Self.objectionToAwkwardPoint(encoding, pair, in: &session) : nil
            }
            guard case .no(let reason) = finding else {
                capabilities.pointEncoding = encoding
                return .yes
            }
            firstReason = firstReason ?? reason
        }
        return .no(firstReason ?? "not asked")
    }

    /// One bare point in 256 begins like DER: the encoding must work for it too, and with a known key give a known
    /// answer.
    private static func objectionToAwkwardPoint(
        _ encoding: SharedSecret.PointEncoding, _ pair: Pair, in session: inout Session
    ) throws(PKCS11Error) -> String? {
        let template = template(.ec(.p256), [.keyAgreement])
        let known = try imported(
            template.attributes + [
                .bytes(.ecParameters, Curve.p256.parameters),
                .value(KnownAnswers.secret(KnownAnswers.agreementKey)),
            ], in: &session)
        let secret = try SharedSecret.derive(
            point: KnownAnswers.awkwardPoint, encoding, curve: .p256, key: known ?? pair.key, in: &session)
        guard let secret else { return "the shared secret is longer than the field" }
        guard known != nil else { return nil }
        return areEqual(secret, KnownAnswers.agreedSecret) ? nil : "a wrong shared secret"
    }

    // MARK: Answers

    /// One question in a session of its own.
    func answer(
        _ slot: Slot, _ epoch: LoginEpoch, _ question: (inout Session) throws(PKCS11Error) -> String?
    ) throws(PKCS11Error) -> TokenCapabilities.Finding {
        do throws(PKCS11Error) {
            var session = try slot.openSession(epoch: epoch)
            return try question(&session).map { .no($0) } ?? .yes
        } catch {
            try rethrow(error, unlessWell: slot, epoch)
            return .no(error.description)
        }
    }

    /// Some tokens answer a mechanism that they do not have with a code of a sick device (tpm2-pkcs11: HOST_MEMORY for
    /// P-521). One that goes on working has only declined.
    private func rethrow(
        _ error: PKCS11Error, unlessWell slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) {
        guard error.isDeviceFault else { return }
        let isWell: Bool
        do throws(PKCS11Error) {
            var session = try slot.openSession(epoch: epoch)
            isWell = try session.generateRandom(16).count == 16
        } catch {
            isWell = false
        }
        if !isWell { throw error }
    }
}

extension TokenCapabilities.Need {
    /// The same about another key spec.
    fileprivate func about(_ keySpec: KeySpec) -> Self {
        switch self {
        case .generation: .generation(keySpec)
        case .algorithm(let algorithm, _): .algorithm(algorithm, keySpec)
        default: self
        }
    }
}
