internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// A key of ours on the token whose answers we know: whether the token is well is asked of it and of nothing else.
///
/// It is a token object, because session objects, random numbers and C_GetSessionInfo go on working after the token
/// behind them is gone. Its CKA_ID has 17 bytes, so that it is nobody's backing key.
struct Canary: Sendable {
    static let id = Array("strongroom canary".utf8)
    static let label = "strongroom canary"

    private let key: ObjectHandle
    /// Nil on a token without AES-GCM.
    private let message: SealedMessage?
    private let fingerprint: [UInt8]

    private static let plaintext = Array("a canary that sings is alive".utf8)

    /// Makes the canary from an object that is there already, or generates it.
    ///
    /// - Parameter sealsMessages: whether the token has AES-GCM; AES-ECB it must have.
    /// - Returns: nil when the device does not give the answers that it gave before.
    static func prepare(
        existing: ObjectHandle?, sealsMessages: Bool, sealing: GCMSealing, in session: inout Session
    ) throws(PKCS11Error) -> Canary? {
        if let existing {
            return try make(of: existing, sealsMessages: sealsMessages, sealing: sealing, in: &session)
        }
        let template = KeyTemplate(.aes256, usages: [.encryptDecrypt], id: id, label: label, onToken: true)
        let key = try session.generateKey(.aesKeyGeneration, template.generationAttributes)
        do throws(PKCS11Error) {
            if let canary = try make(of: key, sealsMessages: sealsMessages, sealing: sealing, in: &session) {
                return canary
            }
        } catch {
            // Else every login would leave another one that does not sing.
            try? session.destroyObject(key)
            throw error
        }
        try? session.destroyObject(key)
        return nil
    }

    private static func make(
        of key: ObjectHandle, sealsMessages: Bool, sealing: GCMSealing, in session: inout Session
    ) throws(PKCS11Error) -> Canary? {
        var message: SealedMessage?
        if sealsMessages {
            let sealed = try sealing.seal(
                SecretBytes(copying: plaintext.span), associatedData: id, key: key, in: &session)
            guard case .message(let made) = sealed else { return nil }
            message = made
        }
        let canary = Canary(
            key: key, message: message, fingerprint: try FingerprintBlock.encrypt(under: key, in: &session))
        return try canary.sings(sealing: sealing, in: &session) ? canary : nil
    }

    /// Whether the token still gives the known answers: one decryption and one encryption.
    func sings(sealing: GCMSealing, in session: inout Session) throws(PKCS11Error) -> Bool {
        if let message {
            let opened = try sealing.open(message, associatedData: Self.id, key: key, in: &session)
            let isRight = opened.withBytes { opened in constantTimeEquals(opened, Self.plaintext.span) }
            guard isRight else { return false }
        }
        return try FingerprintBlock.encrypt(under: key, in: &session) == fingerprint
    }
}
