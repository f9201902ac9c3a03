internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// By which steps a key goes from its token into a wrapping of the service.
enum TokenWrapping: Sendable {
    /// C_WrapKey with the public key of the service.
    case block(OAEPHash)
    /// CKM_RSA_AES_KEY_WRAP (PKCS#11 v3.1 §6.1.22) in its two steps, because hardly a token has it in one.
    case ephemeralKey(OAEPHash, KeyWrapNumber)
    /// To a throwaway key of this process, and from here to the service: the plaintext is in wiped memory for a moment.
    case throughMemory(OAEPHash, KeyWrapNumber)

    var exposesMaterialToHost: Bool {
        if case .throughMemory = self { true } else { false }
    }

    /// - Parameters:
    ///   - token: its label, for errors.
    ///   - allowsHostMemory: whether the plaintext may be in the memory of this machine, where it must.
    init(
        _ algorithm: AlgorithmSpec, _ keySpec: KeySpec, _ abilities: TokenAbilities, token: String,
        allowsHostMemory: Bool
    ) throws(CeremonyError) {
        guard let scheme = algorithm.scheme, case .rsaOAEP(let function) = scheme.blockScheme,
            let hash = [OAEPHash.sha1, .sha256].first(where: { $0.function == function }),
            let preferredHash = abilities.preferredHash
        else { throw CeremonyError("a token does not wrap with \(algorithm.rawValue)") }
        let objection: String?
        if !abilities.oaepHashes.contains(hash) {
            let other = WrappingChoice.defaultAlgorithm(for: keySpec, hash: preferredHash)
            objection = "does not wrap with RSA-OAEP and \(hash.rawValue): take \(other.rawValue), or"
        } else if case .rsaOAEP = scheme {
            self = .block(hash)
            return
        } else if let keyWrap = abilities.keyWrap, keyWrap.keepsLength || keySpec.fillsWholeBlocks {
            self = .ephemeralKey(hash, keyWrap.number)
            return
        } else {
            objection = "does not wrap private keys as RFC 5649 says:"
        }
        guard let keyWrap = abilities.keyWrap else {
            throw CeremonyError("the token \(token) does not have AES Key Wrap with Padding (RFC 5649)")
        }
        guard allowsHostMemory else {
            throw CeremonyError(
                "the token \(token) \(objection ?? "") give --allow-host-memory to wrap the key in the memory of this "
                    + "machine")
        }
        self = .throughMemory(preferredHash, keyWrap.number)
    }

    /// Nil when the token gives something that is no wrapped key.
    func wrap(
        _ key: ObjectHandle, in session: inout Session, _ token: String, for parameters: ImportParameters,
        _ publicKey: PublicKey
    ) throws(CeremonyError) -> [UInt8]? {
        switch self {
        case .block(let hash):
            let block = try CeremonyError.whileTalking(to: token) { () throws(PKCS11Error) in
                guard let recipient = try session.importPublicKey(publicKey) else { return [UInt8]?.none }
                return try session.wrapKey(key, with: recipient, .rsaOAEP(hash: hash.mechanismHash))
            }
            return block?.count == publicKey.kind.modulusByteCount ? block : nil
        case .ephemeralKey(let hash, let number):
            return try Self.wrap(key, in: &session, token, for: publicKey, hash, number)
        case .throughMemory(let hash, let number):
            return try Self.throughMemory(key, &session, token, hash, number, parameters)
        }
    }

    private static func wrap(
        _ key: ObjectHandle, in session: inout Session, _ token: String, for publicKey: PublicKey, _ hash: OAEPHash,
        _ number: KeyWrapNumber
    ) throws(CeremonyError) -> [UInt8]? {
        let parts = try CeremonyError.whileTalking(to: token) { () throws(PKCS11Error) in
            guard let recipient = try session.importPublicKey(publicKey) else { return [[UInt8]]?.none }
            let ephemeral = try session.generateKey(.aesKeyGeneration, TokenTemplates.ephemeralKey)
            let block = try session.wrapKey(ephemeral, with: recipient, .rsaOAEP(hash: hash.mechanismHash))
            return [block, try session.wrapKey(key, with: ephemeral, .aesKeyWrap(number))]
        }
        guard let parts, parts[0].count == publicKey.kind.modulusByteCount,
            AESKeyWrap.isWrappedByteCount(parts[1].count)
        else { return nil }
        return parts[0] + parts[1]
    }

    private static func throughMemory(
        _ key: ObjectHandle, _ session: inout Session, _ token: String, _ hash: OAEPHash, _ number: KeyWrapNumber,
        _ parameters: ImportParameters
    ) throws(CeremonyError) -> [UInt8]? {
        let here: PrivateKey
        do throws(CryptographyError) { here = try .generate(.rsa2048) } catch { throw CeremonyError(error.reason) }
        guard let wrapped = try wrap(key, in: &session, token, for: here.publicKey, hash, number),
            let contents = try? here.unwrap(wrapped.span, .rsaAESKeyWrap(hash.function))
        else { return nil }
        // Zeros that the token may have added.
        let count = parameters.keySpec.secretByteCount ?? contents.withBytes { PEM.elementByteCount($0) }
        guard let material = contents.withoutZeros(after: count) else { return nil }
        return try KeyMaterial(contents: material, for: parameters.keySpec, name: "the key of the token \(token)")
            .wrapped(with: parameters)
    }
}

extension KeySpec {
    /// Whether the material is a multiple of the eight bytes that AES Key Wrap works in, for certain.
    fileprivate var fillsWholeBlocks: Bool { secretByteCount.map { $0 % 8 == 0 } ?? false }
}
