internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// One block that the public half of a wrapping key made, opened by the token: whether what comes out is what went in.
struct OpeningTrial: Sendable {
    let opener: BlockOpener
    let publicKey: PublicKey

    /// - Returns: nil when it is, else what is wrong.
    func run(with key: ObjectHandle, in session: inout Session) throws(PKCS11Error) -> String? {
        let secret = KnownAnswers.ecbKey
        guard let block = try? publicKey.encrypt(secret.span, .rsaOAEP(opener.hash.algorithm)) else {
            return "the public key does not encrypt"
        }
        guard opener.opening == .unwrapping else {
            guard case .contents(let opened) = try opener.open(block, with: key, in: &session) else {
                return "what the public key encrypted does not decrypt"
            }
            return CapabilityProbe.areEqual(opened, secret) ? nil : "it decrypts wrongly"
        }
        let template = CapabilityProbe.template(.aes256, [.encryptDecrypt])
        guard
            case .contents(let object) = try opener.unwrap(block, with: key, template.attributes, in: &session)
        else { return "what the public key encrypted does not unwrap" }
        do throws(PKCS11Error) {
            let objection = try objection(to: object, template, in: &session)
            try session.destroyObject(object)
            return objection
        } catch {
            try? session.destroyObject(object)
            throw error
        }
    }

    private func objection(
        to object: ObjectHandle, _ template: KeyTemplate, in session: inout Session
    ) throws(PKCS11Error) -> String? {
        if let deviation = template.deviation(of: try session.attributes(of: object, template.readBackWithoutLength)) {
            return deviation
        }
        var mechanism = Mechanism.aesECB
        let output = try session.encrypt(KnownAnswers.ecbPlaintext.span, &mechanism, key: object)
        return output == KnownAnswers.ecbCiphertext ? nil : "another key was unwrapped"
    }
}
