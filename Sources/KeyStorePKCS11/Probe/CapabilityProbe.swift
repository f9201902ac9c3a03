internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// Finds out by known answers what a token does. Uses session objects only, so that it leaves nothing behind.
struct CapabilityProbe: Sendable {
    let sealing: GCMSealing

    /// - Returns: what was found. A token that cannot do something is a finding; only a failing device is an error.
    func run(in slot: Slot, epoch: LoginEpoch) throws(PKCS11Error) -> TokenCapabilities {
        var capabilities = TokenCapabilities()
        let start = ContinuousClock.now
        try note(.generation(.symmetricDefault), in: &capabilities, slot, epoch, probeGeneration)
        try note(.random, in: &capabilities, slot, epoch, probeRandom)
        try note(.ecb, in: &capabilities, slot, epoch, probeECB)
        var imports = false
        try note(.gcm, in: &capabilities, slot, epoch) { session throws(PKCS11Error) in
            try probeGCM(&session, imports: &imports)
        }
        capabilities.importsSecretKeys = imports
        try note(.gcmIV, in: &capabilities, slot, epoch, probeIV)
        let wrongTag = try probeRefusal(of: .tag, slot, epoch)
        let wrongData = try probeRefusal(of: .associatedData, slot, epoch)
        capabilities.badTagReturnValue = wrongTag
        capabilities.findings[.gcmAuthentication] =
            wrongTag != nil && wrongData != nil ? .yes : .no("a wrong tag or wrong associated data is not refused")
        try probeMACs(&capabilities, slot, epoch)
        try probeKeyPairs(&capabilities, slot, epoch)
        capabilities.probeTime = ContinuousClock.now - start
        return capabilities
    }

    /// One question in a session of its own: nil is yes, a text or a refusal of the token is no.
    func note(
        _ need: TokenCapabilities.Need, in capabilities: inout TokenCapabilities, _ slot: Slot, _ epoch: LoginEpoch,
        _ probe: (inout Session) throws(PKCS11Error) -> String?
    ) throws(PKCS11Error) {
        do throws(PKCS11Error) {
            var session = try slot.openSession(epoch: epoch)
            let objection = try probe(&session)
            capabilities.findings[need] = objection.map { .no($0) } ?? .yes
        } catch {
            if error.isDeviceFault { throw error }
            capabilities.findings[need] = .no(error.description)
        }
    }

    // MARK: The questions

    private func probeGeneration(_ session: inout Session) throws(PKCS11Error) -> String? {
        switch try KeyMaking.make(Self.template(.aes256, [.encryptDecrypt]), in: &session) {
        case .sound: nil
        case .wrong(let reason): reason
        }
    }

    private func probeRandom(_ session: inout Session) throws(PKCS11Error) -> String? {
        let (first, second) = (try session.generateRandom(32), try session.generateRandom(32))
        let areEqual = first.withBytes { first in second.withBytes { second in constantTimeEquals(first, second) } }
        return areEqual ? "C_GenerateRandom gives the same bytes twice" : nil
    }

    private func probeECB(_ session: inout Session) throws(PKCS11Error) -> String? {
        var mechanism = Mechanism.aesECB
        let block = KnownAnswers.ecbPlaintext
        if let key = try importedKey(KnownAnswers.ecbKey, in: &session) {
            let output = try session.encrypt(block.span, &mechanism, key: key)
            return output == KnownAnswers.ecbCiphertext ? nil : "AES-ECB gives a wrong answer"
        }
        let key = try generatedKey(in: &session)
        let first = try session.encrypt(block.span, &mechanism, key: key)
        let second = try session.encrypt(block.span, &mechanism, key: key)
        return first == second && first.count == 16 ? nil : "AES-ECB does not repeat itself"
    }

    private func probeGCM(_ session: inout Session, imports: inout Bool) throws(PKCS11Error) -> String? {
        let imported = try importedKey(KnownAnswers.gcmKey, in: &session)
        imports = imported != nil
        if let imported {
            let known = SealedMessage(
                nonce: [], iv: KnownAnswers.gcmIV, ciphertext: KnownAnswers.gcmCiphertext, tag: KnownAnswers.gcmTag)
            let opened = try sealing.open(
                known, associatedData: KnownAnswers.gcmAssociatedData, key: imported, in: &session)
            guard Self.areEqual(opened, KnownAnswers.gcmPlaintext) else { return "AES-GCM decrypts wrongly" }
            if sealing.ivSource == .caller {
                let plaintext = KnownAnswers.gcmPlaintext
                let sealed = try sealing.seal(
                    SecretBytes(copying: plaintext.span),
                    associatedData: KnownAnswers.gcmAssociatedData, offeredIV: KnownAnswers.gcmIV, key: imported,
                    in: &session)
                guard case .message(known) = sealed else { return "AES-GCM encrypts wrongly" }
            }
        }
        let key = if let imported { imported } else { try generatedKey(in: &session) }
        for count in [1, GCMSealing.longestPlaintext] {
            let plaintext = [UInt8](repeating: 0xA5, count: count)
            let sealed = try sealing.seal(
                SecretBytes(copying: plaintext.span), associatedData: [1, 2, 3], key: key, in: &session)
            switch sealed {
            case .breach(let breach): return breach.rawValue
            case .message(let message):
                let opened = try sealing.open(message, associatedData: [1, 2, 3], key: key, in: &session)
                guard Self.areEqual(opened, plaintext) else { return "AES-GCM does not return \(count) bytes" }
            }
        }
        return nil
    }

    /// The token's own IVs are believed only after two different ones that are not zero.
    private func probeIV(_ session: inout Session) throws(PKCS11Error) -> String? {
        let key = try generatedKey(in: &session)
        var ivs: Set<[UInt8]> = []
        for _ in 0..<2 {
            switch try sealing.seal(SecretBytes(copying: [7].span), associatedData: [], key: key, in: &session) {
            case .breach(let breach): return breach.rawValue
            case .message(let message): ivs.insert(message.iv)
            }
        }
        return ivs.count == 2 ? nil : "the same IV comes twice"
    }

    // MARK: Forgeries

    private enum Forgery {
        case tag, associatedData
    }

    /// What the token answers to the forgery; nil if it takes it, or could not be asked.
    private func probeRefusal(
        of forgery: Forgery, _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) -> ReturnValue? {
        var session = try slot.openSession(epoch: epoch)
        let message: SealedMessage
        let key: ObjectHandle
        do throws(PKCS11Error) {
            key = try generatedKey(in: &session)
            let sealed = try sealing.seal(
                SecretBytes(copying: [7].span), associatedData: [1], key: key, in: &session)
            guard case .message(let made) = sealed else { return nil }
            message = made
        } catch {
            if error.isDeviceFault { throw error }
            return nil
        }
        var forged = message
        if forgery == .tag { forged.tag[0] ^= 1 }
        do throws(PKCS11Error) {
            _ = try sealing.open(
                forged, associatedData: forgery == .associatedData ? [2] : [1], key: key, in: &session)
            return nil
        } catch {
            // DEVICE_ERROR too: some devices say that of a wrong tag, and the canary knows the difference.
            return error.returnValue
        }
    }

    // MARK: Keys

    static func template(
        _ form: KeyForm, _ usages: Set<KeyUsageType>, keyType: KeyType? = nil, unwraps: Bool = false
    ) -> KeyTemplate {
        KeyTemplate(
            form, usages: usages, id: Canary.id + [0], label: "strongroom probe", onToken: false, keyType: keyType,
            unwraps: unwraps)
    }

    private func generatedKey(in session: inout Session) throws(PKCS11Error) -> ObjectHandle {
        try session.generateKey(.aesKeyGeneration, Self.template(.aes256, [.encryptDecrypt]).generationAttributes)
    }

    private func importedKey(_ value: [UInt8], in session: inout Session) throws(PKCS11Error) -> ObjectHandle? {
        try Self.imported(
            Self.template(.aes256, [.encryptDecrypt]).attributes + [.value(SecretBytes(copying: value.span))],
            in: &session)
    }

    /// Nil when the token does not take such keys from outside.
    static func imported(
        _ attributes: [Attribute], in session: inout Session
    ) throws(PKCS11Error) -> ObjectHandle? {
        do throws(PKCS11Error) {
            return try session.createObject(attributes)
        } catch {
            if error.isDeviceFault { throw error }
            return nil
        }
    }

    static func areEqual(_ secret: SecretBytes, _ bytes: [UInt8]) -> Bool {
        secret.withBytes { secret in constantTimeEquals(secret, bytes.span) }
    }
}
