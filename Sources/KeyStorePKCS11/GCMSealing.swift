internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// AES-256-GCM on a token as ciphertexts of ours have it: an IV of 12 bytes and a tag of 16.
struct GCMSealing: Sendable {
    static let ivByteCount = 12
    static let tagByteCount = 16
    static let longestPlaintext = 4096

    /// What the token did that it must not do. These are refused on this side of the boundary.
    enum Breach: String, Sendable {
        /// SoftHSM and NSS take the zero buffer of a token-made IV for the IV itself: the first step to nonce reuse.
        case zeroIV = "the token used an all-zero IV"
        case otherIV = "the token wrote another IV than the one it was given"
        case length = "the token's answer does not have the length of the plaintext and a tag"
    }

    enum Sealed: Sendable {
        case message(SealedMessage)
        case breach(Breach)
    }

    let ivSource: TokenProfile.GCMIV

    func seal(
        _ plaintext: SecretBytes, associatedData: [UInt8], key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> Sealed {
        var generator = SystemRandomNumberGenerator()
        let offered: [UInt8] =
            switch ivSource {
            case .caller: (0..<Self.ivByteCount).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
            case .zeroBufferOut: [UInt8](repeating: 0, count: Self.ivByteCount)
            }
        return try seal(plaintext, associatedData: associatedData, offeredIV: offered, key: key, in: &session)
    }

    func seal(
        _ plaintext: SecretBytes, associatedData: [UInt8], offeredIV: [UInt8], key: ObjectHandle,
        in session: inout Session
    ) throws(PKCS11Error) -> Sealed {
        var mechanism = Mechanism.aesGCM(GCMParameters(iv: offeredIV, associatedData: associatedData))
        let output = try plaintext.withBytes { plaintext throws(PKCS11Error) in
            try session.encrypt(plaintext, &mechanism, key: key)
        }
        guard case .aesGCM(let parameters) = mechanism else { return .breach(.otherIV) }
        if parameters.iv.allSatisfy({ $0 == 0 }) { return .breach(.zeroIV) }
        if ivSource == .caller, parameters.iv != offeredIV { return .breach(.otherIV) }
        guard output.count == plaintext.count + Self.tagByteCount else { return .breach(.length) }
        return .message(
            SealedMessage(
                nonce: [], iv: parameters.iv, ciphertext: Array(output[..<plaintext.count]),
                tag: Array(output[plaintext.count...])))
    }

    func open(
        _ message: SealedMessage, associatedData: [UInt8], key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> SecretBytes {
        let mechanism = Mechanism.aesGCM(GCMParameters(iv: message.iv, associatedData: associatedData))
        return try session.decrypt((message.ciphertext + message.tag).span, mechanism, key: key)
    }

    /// Whether a message can have come from here at all. What has another form never reaches the token.
    static func hasForm(_ message: SealedMessage) -> Bool {
        message.nonce.isEmpty && message.iv.count == ivByteCount && message.tag.count == tagByteCount
            && (1...longestPlaintext).contains(message.ciphertext.count) && !message.iv.allSatisfy { $0 == 0 }
    }
}

/// The fixed block whose AES encryption is a key's fingerprint.
///
/// Its last four bytes are FF FF FF FF. The blocks that GCM with a 96-bit IV encrypts for a message of up to 4 KiB
/// end in a counter of 1 to 257 (SP 800-38D §7.1), so no ciphertext and no tag of ours ever shows anything about
/// this one.
enum FingerprintBlock {
    static let bytes: [UInt8] = Array("strongroom-f".utf8) + [0xFF, 0xFF, 0xFF, 0xFF]

    static func encrypt(
        under key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> [UInt8] {
        var mechanism = Mechanism.aesECB
        return try session.encrypt(bytes.span, &mechanism, key: key)
    }
}
