internal import KMSModel
internal import KeyStores
public import PKCS11
public import SecureMemory

/// Examines a token with the probe that a connect runs, and with questions for people. Session objects only: it leaves
/// nothing behind.
public enum TokenExaminer {
    /// Errors: a sentence.
    public static func examine(_ token: TokenAccess, pin: SecretBytes) throws(TokenAccessError) -> TokenExamination {
        // A login that goes well takes CKF_USER_PIN_COUNT_LOW back.
        let isPINCountLow = try token.tokenInfo().isUserPINCountLow
        return try token.withSession(pin) { session throws(TokenAccessError) in
            do throws(PKCS11Error) {
                var examination = try examine(&session)
                examination.device.isPINCountLow = isPINCountLow
                return examination
            } catch {
                throw TokenAccessError(error, token.token)
            }
        }
    }

    private static func examine(_ session: inout Session) throws(PKCS11Error) -> TokenExamination {
        let slot = session.slot
        let info = try slot.tokenInfo()
        let (capabilities, gcmIV) = try probe(slot, session.epoch)
        let gcmRefusal = capabilities.refusal(of: TokenCapabilities.Need.symmetric)
        let device = TokenExamination.Device(
            module: try slot.moduleInfo().description, label: info.label, serialNumber: info.serialNumber,
            manufacturer: info.manufacturer, model: info.model, firmwareVersion: info.firmwareVersion,
            maximumSessions: info.maximumSessions, freePrivateMemory: info.freePrivateMemory,
            totalPrivateMemory: info.totalPrivateMemory, objectCount: try session.findObjects([]).count,
            hasPINPad: info.hasPINPad, isPINCountLow: info.isUserPINCountLow,
            isPINToBeChanged: info.isUserPINToBeChanged, opensReadOnlySessions: try slot.opensReadOnlySessions())
        return TokenExamination(
            device: device, gcmIV: gcmRefusal == nil ? gcmIV.rawValue : nil, gcmRefusal: gcmRefusal,
            oaepHashes: [MechanismHash.sha1, .sha256].filter { capabilities.refusal(of: [.opening($0)]) == nil }
                .map { $0 == .sha1 ? "SHA-1" : "SHA-256" },
            sessionCopyRefusal: try CopyProbe(slot: slot, epoch: session.epoch).refusal(capabilities) ?? "",
            abilities: abilities(capabilities), imports: imports(capabilities),
            safetyFindings: try SafetyProbe(slot: slot, epoch: session.epoch).run(capabilities),
            latencies: try LatencyProbe(slot: slot, epoch: session.epoch, sealing: GCMSealing(ivSource: gcmIV))
                .run(capabilities))
    }

    /// The IV of AES-GCM is ours where the token takes one; else it is asked for one of its own.
    private static func probe(
        _ slot: Slot, _ epoch: LoginEpoch
    ) throws(PKCS11Error) -> (TokenCapabilities, TokenProfile.GCMIV) {
        var first: TokenCapabilities?
        for gcmIV in [TokenProfile.GCMIV.caller, .zeroBufferOut] {
            let capabilities = try CapabilityProbe(sealing: GCMSealing(ivSource: gcmIV)).run(in: slot, epoch: epoch)
            if capabilities.refusal(of: [.gcm, .gcmIV]) == nil { return (capabilities, gcmIV) }
            first = first ?? capabilities
        }
        return (first ?? TokenCapabilities(), .caller)
    }

    private static func abilities(_ capabilities: TokenCapabilities) -> [TokenExamination.Ability] {
        var abilities: [TokenExamination.Ability] = []
        for keySpec in KeySpec.allCases {
            for usage in KeyUsageType.allCases {
                let all = keySpec.algorithms(for: usage)
                guard !all.isEmpty else { continue }
                var ability = TokenExamination.Ability(
                    keySpec: keySpec.rawValue, keyUsage: usage.rawValue, algorithms: [:], refusals: [:])
                for algorithm in all {
                    if let refusal = capabilities.refusal(of: algorithm, keySpec: keySpec) {
                        ability.refusals[algorithm.name] = refusal
                    } else {
                        ability.algorithms[algorithm.name] =
                            capabilities.method(of: algorithm, keySpec: keySpec)?.replacing("`", with: "") ?? ""
                    }
                }
                abilities.append(ability)
            }
        }
        return abilities
    }

    private static func imports(_ capabilities: TokenCapabilities) -> [TokenExamination.ImportAbility] {
        let opening = [MechanismHash.sha256, .sha1].lazy.compactMap { hash in
            capabilities.blockOpenings[hash].map { $0.description(hash) }
        }.first
        return KeySpec.allCases.filter { $0.importRefusal == nil }.map { keySpec in
            if let reason = uselessness(of: keySpec, capabilities) ?? capabilities.refusal(of: [.importing(keySpec)]) {
                return TokenExamination.ImportAbility(keySpec: keySpec.rawValue, path: nil, reason: reason)
            }
            guard let opening else {
                return TokenExamination.ImportAbility(
                    keySpec: keySpec.rawValue, path: nil, reason: "the token opens no block of RSA-OAEP")
            }
            let isInside =
                capabilities.unwrapsFromBlock.contains(keySpec) || capabilities.unwrapsFromKeyWrap.contains(keySpec)
            return TokenExamination.ImportAbility(
                keySpec: keySpec.rawValue,
                path: opening + (isInside ? "; never outside of the token" : "; through wiped memory of the server"),
                reason: nil)
        }
    }

    /// Why keys of this spec do nothing on the token, so that there is nothing to import for; nil when they do
    /// something.
    private static func uselessness(of keySpec: KeySpec, _ capabilities: TokenCapabilities) -> String? {
        let refusals = KeyUsageType.allCases.filter { !keySpec.algorithms(for: $0).isEmpty }
            .map { capabilities.refusal(of: keySpec, usage: $0) }
        return refusals.contains(nil) ? nil : refusals.first ?? nil
    }
}
