internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// What a token lets happen that it should not. Each question is tried with throwaway keys of its own session.
struct SafetyProbe: Sendable {
    let slot: Slot
    let epoch: LoginEpoch

    /// - Returns: sentences for people; none is good news.
    func run(_ capabilities: TokenCapabilities) throws(PKCS11Error) -> [String] {
        var findings: [String] = []
        for question in [sensitiveIsKept, extractionIsRefused, lateChangesAreRefused] {
            do throws(PKCS11Error) {
                var session = try slot.openSession(epoch: epoch)
                if let finding = try question(&session) { findings.append(finding) }
            } catch {
                // What it does not do at all is no danger.
                if error.isDeviceFault { throw error }
            }
        }
        if capabilities.refusal(of: [.gcm]) == nil, capabilities.refusal(of: [.gcmIV]) != nil {
            findings.append("AES-GCM works, but its IV cannot be relied on: keys that encrypt are refused")
        }
        return findings
    }

    private func makeKey(_ more: [Attribute], in session: inout Session) throws(PKCS11Error) -> ObjectHandle {
        try session.generateKey(
            .aesKeyGeneration,
            [.objectClass(.secretKey), .keyType(.aes), .flag(.token, false), .flag(.isPrivate, true), .valueLength(32)]
                + more)
    }

    private func sensitiveIsKept(_ session: inout Session) throws(PKCS11Error) -> String? {
        let key = try makeKey([.flag(.sensitive, true), .flag(.extractable, false)], in: &session)
        let values = try session.attributes(of: key, [.sensitive, .extractable, .value])
        if values.bytes(.value) != nil { return "CKA_SENSITIVE is ignored: the value of a sensitive key can be read" }
        if values.flag(.sensitive) != true || values.flag(.extractable) != false {
            return "a key does not have the attributes that it was asked for (CKA_SENSITIVE, CKA_EXTRACTABLE)"
        }
        return nil
    }

    private func extractionIsRefused(_ session: inout Session) throws(PKCS11Error) -> String? {
        let key = try makeKey([.flag(.sensitive, true), .flag(.extractable, false)], in: &session)
        let wrapping = try makeKey([.flag(.wrap, true), .flag(.extractable, false)], in: &session)
        for number in [KeyWrapNumber.kwp, .pad] {
            do throws(PKCS11Error) {
                _ = try session.wrapKey(key, with: wrapping, .aesKeyWrap(number))
                return "C_WrapKey gives away keys with CKA_EXTRACTABLE FALSE to whoever is logged in"
            } catch {
                if error.isDeviceFault { throw error }
            }
        }
        return nil
    }

    /// PKCS#11 v3.1 §4.9: CKA_SENSITIVE never goes from TRUE to FALSE, CKA_EXTRACTABLE never from FALSE to TRUE.
    private func lateChangesAreRefused(_ session: inout Session) throws(PKCS11Error) -> String? {
        let key = try makeKey([.flag(.sensitive, true), .flag(.extractable, false)], in: &session)
        for attribute in [Attribute.flag(.sensitive, false), .flag(.extractable, true)] {
            do throws(PKCS11Error) {
                let copy = try session.copyObject(key, [attribute])
                let values = try session.attributes(of: copy, [.sensitive, .extractable])
                if values.flag(.sensitive) == false || values.flag(.extractable) == true {
                    return "C_CopyObject makes copies of keys that can leave the token, for whoever is logged in"
                }
            } catch {
                if error.isDeviceFault { throw error }
            }
        }
        return nil
    }
}
