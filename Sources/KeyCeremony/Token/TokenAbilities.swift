internal import Cryptography
internal import PKCS11
internal import SecureMemory

/// In which ways keys really leave a token, found out with throwaway keys: a list of mechanisms is no evidence, and two
/// tokens mean different things by one number. What a token does wrong would make material that no service unwraps.
public struct TokenAbilities: Sendable {
    /// AES Key Wrap with Padding (RFC 5649).
    struct KeyWrap: Sendable {
        let number: KeyWrapNumber
        /// False on SoftHSM 2.6.1, which makes the zeros that it pads with part of the key.
        let keepsLength: Bool
    }

    /// Hashes with which RSA-OAEP is right.
    public let oaepHashes: [OAEPHash]
    let keyWrap: KeyWrap?

    /// The hash to wrap with when nobody says which.
    public var preferredHash: OAEPHash? { oaepHashes.first }

    /// Leaves nothing behind: all keys are session objects.
    init(_ session: inout Session) throws(CryptographyError) {
        let recipient = try PrivateKey.generate(.rsa2048)
        var hashes: [OAEPHash] = []
        var keyWrap: KeyWrap?
        for hash in [OAEPHash.sha256, .sha1] {
            guard let found = try Self.tryOAEP(&session, recipient, hash) else { continue }
            hashes.append(hash)
            if keyWrap == nil { keyWrap = try Self.tryKeyWrap(&session, found) }
        }
        oaepHashes = hashes
        self.keyWrap = keyWrap
    }

    /// Two keys of the token, and what they are.
    private struct Throwaways {
        let wrappingKey: ObjectHandle
        let wrappingKeyValue: SecretBytes
        let key: ObjectHandle
        let value: SecretBytes
    }

    /// Nil when the token does not wrap with OAEP, or another one than it is asked for.
    private static func tryOAEP(
        _ session: inout Session, _ recipient: PrivateKey, _ hash: OAEPHash
    ) throws(CryptographyError) -> Throwaways? {
        let keys: (wrapping: ObjectHandle, other: ObjectHandle)
        var blocks: [[UInt8]] = []
        do throws(PKCS11Error) {
            guard let publicKey = try session.importPublicKey(recipient.publicKey) else { return nil }
            keys = (
                try session.generateKey(.aesKeyGeneration, TokenTemplates.ephemeralKey),
                try session.generateKey(.genericSecretKeyGeneration, TokenTemplates.throwawaySecret)
            )
            for key in [keys.wrapping, keys.other] {
                blocks.append(try session.wrapKey(key, with: publicKey, .rsaOAEP(hash: hash.mechanismHash)))
            }
        } catch {
            return nil
        }
        var values: [SecretBytes] = []
        for block in blocks {
            do throws(CryptographyError) {
                values.append(try recipient.decrypt(block.span, .rsaOAEP(hash.function)))
            } catch  where error.code == .authenticationFailure {
                return nil
            }
        }
        guard values.map(\.count) == [AESKeyWrap.keyByteCounts.max(), TokenTemplates.throwawaySecretByteCount] else {
            return nil
        }
        return Throwaways(
            wrappingKey: keys.wrapping, wrappingKeyValue: values[0], key: keys.other, value: values[1])
    }

    private static func tryKeyWrap(
        _ session: inout Session, _ keys: Throwaways
    ) throws(CryptographyError) -> KeyWrap? {
        for number in [KeyWrapNumber.kwp, .pad] {
            guard let wrapped = try? session.wrapKey(keys.key, with: keys.wrappingKey, .aesKeyWrap(number)) else {
                continue
            }
            let unwrapped: SecretBytes
            do throws(CryptographyError) {
                unwrapped = try keys.wrappingKeyValue.withBytes { key throws(CryptographyError) in
                    try AESKeyWrap.unwrap(wrapped.span, key: key)
                }
            } catch  where error.code == .authenticationFailure {
                continue
            }
            let isRight = unwrapped.withoutZeros(after: keys.value.count)?.withBytes { unwrapped in
                keys.value.withBytes { value in constantTimeEquals(unwrapped, value) }
            }
            if isRight == true {
                return KeyWrap(number: number, keepsLength: unwrapped.count == keys.value.count)
            }
        }
        return nil
    }
}

/// Session objects of a ceremony.
enum TokenTemplates {
    /// Not a multiple of the eight bytes that AES Key Wrap works in.
    static let throwawaySecretByteCount = 28

    /// An AES-256 key that wraps one key and leaves the token itself, wrapped.
    static let ephemeralKey: [Attribute] =
        [
            .keyType(.aes), .flag(.wrap, true), .flag(.unwrap, false), .flag(.encrypt, false), .flag(.decrypt, false),
            .valueLength(AES256GCM.keyByteCount),
        ] + common

    static let throwawaySecret: [Attribute] =
        [.keyType(.genericSecret), .valueLength(throwawaySecretByteCount)] + common

    private static let common: [Attribute] = [
        .objectClass(.secretKey), .flag(.token, false), .flag(.isPrivate, true), .flag(.sensitive, true),
        .flag(.extractable, true),
    ]
}

extension Session {
    /// Makes a session object that wraps keys and does nothing else; nil unless the key is RSA.
    mutating func importPublicKey(_ key: PublicKey) throws(PKCS11Error) -> ObjectHandle? {
        guard let numbers = key.rsaNumbers else { return nil }
        return try createObject([
            .objectClass(.publicKey), .keyType(.rsa), .flag(.token, false), .flag(.isPrivate, false),
            .flag(.wrap, true), .flag(.encrypt, false), .flag(.verify, false), .bytes(.modulus, numbers.modulus),
            .bytes(.publicExponent, numbers.exponent),
        ])
    }
}

extension SecretBytes {
    /// The first `count` bytes, when all after them are zeros; nil when they are not, or there are fewer.
    func withoutZeros(after count: Int) -> SecretBytes? {
        guard count <= self.count else { return nil }
        return withBytes { bytes in
            var rest: UInt8 = 0
            for index in count..<bytes.count { rest |= bytes[index] }
            return rest == 0 ? SecretBytes(copying: bytes.extracting(..<count)) : nil
        }
    }
}

extension OAEPHash {
    var mechanismHash: MechanismHash { self == .sha1 ? .sha1 : .sha256 }
    var function: HashFunction { self == .sha1 ? .sha1 : .sha256 }
}
