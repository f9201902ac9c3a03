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
    private let message: SealedMessage
    private let fingerprint: [UInt8]

    private static let plaintext = Array("a canary that sings is alive".utf8)

    /// Makes the canary from an object that is there already, or generates it.
    ///
    /// - Returns: nil when the device cannot make known answers with it (no AES-GCM, no room for an object).
    static func prepare(
        existing: ObjectHandle?, sealing: GCMSealing, in session: inout Session
    ) throws(PKCS11Error) -> Canary? {
        let key: ObjectHandle
        if let existing {
            key = existing
        } else {
            let template = KeyTemplate(.aes256, usages: [.encryptDecrypt], id: id, label: label, onToken: true)
            key = try session.generateKey(.aesKeyGeneration, template.generationAttributes)
        }
        let sealed = try sealing.seal(
            SecretBytes(copying: plaintext.span), associatedData: id, key: key, in: &session)
        guard case .message(let message) = sealed else { return nil }
        let canary = Canary(
            key: key, message: message, fingerprint: try FingerprintBlock.encrypt(under: key, in: &session))
        return try canary.sings(sealing: sealing, in: &session) ? canary : nil
    }

    /// Whether the token still gives the known answers: one decryption and one encryption.
    func sings(sealing: GCMSealing, in session: inout Session) throws(PKCS11Error) -> Bool {
        let opened = try sealing.open(message, associatedData: Self.id, key: key, in: &session)
        let isRight = opened.withBytes { opened in constantTimeEquals(opened, Self.plaintext.span) }
        guard isRight else { return false }
        return try FingerprintBlock.encrypt(under: key, in: &session) == fingerprint
    }
}
