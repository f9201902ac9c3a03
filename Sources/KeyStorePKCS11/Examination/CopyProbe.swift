internal import KMSModel
internal import PKCS11

/// Whether copies in session memory can be worked with as the server does: one session makes a copy, another uses it.
/// Of a throwaway key of a session, because an examination makes no other.
struct CopyProbe: Sendable {
    let slot: Slot
    let epoch: LoginEpoch

    /// - Returns: nil when they can, else why not, for people.
    func refusal(_ capabilities: TokenCapabilities) throws(PKCS11Error) -> String? {
        if let refusal = capabilities.refusal(of: [.generation(.symmetricDefault), .ecb]) { return refusal }
        var owner = try slot.openSession(epoch: epoch)
        var user = try slot.openSession(epoch: epoch)
        let template = CapabilityProbe.template(.aes256, [.encryptDecrypt])
        let key = try owner.generateKey(.aesKeyGeneration, template.generationAttributes)
        do throws(PKCS11Error) {
            guard let copy = try SessionCopy.make(of: key, in: &owner) else {
                return "C_CopyObject makes a copy that can be read"
            }
            let isTheSame =
                try FingerprintBlock.encrypt(under: copy, in: &user) == FingerprintBlock.encrypt(under: key, in: &user)
            return isTheSame ? nil : "C_CopyObject makes another key"
        } catch {
            if error.isDeviceFault { throw error }
            return error.description
        }
    }
}
