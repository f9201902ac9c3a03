internal import Cryptography
internal import PKCS11

extension MechanismHash {
    /// The same function in software.
    var algorithm: HashFunction {
        switch self {
        case .sha1: .sha1
        case .sha224: .sha224
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        }
    }

    /// The length of a digest.
    var byteCount: Int { algorithm.byteCount }

    /// Made here and not on the token: tokens hash no faster, many do not hash at all, and what is signed is public.
    func digest(_ message: Span<UInt8>) throws(CryptographyError) -> [UInt8] {
        try algorithm.digest(message)
    }

    func digest(_ message: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try digest(message.span)
    }

    /// DigestInfo (RFC 8017 §9.2, note 1): the DER that names the hash and holds the digest.
    func digestInfo(_ digest: [UInt8]) -> [UInt8] {
        DER.sequence(
            DER.sequence(DER.element(DER.objectIdentifier, identifier), DER.null),
            DER.element(DER.octetString, digest))
    }

    /// The contents of the object identifier (RFC 8017 §B.1).
    private var identifier: [UInt8] {
        switch self {
        case .sha1: [0x2B, 0x0E, 0x03, 0x02, 0x1A]
        case .sha224: Self.sha2Arc + [0x04]
        case .sha256: Self.sha2Arc + [0x01]
        case .sha384: Self.sha2Arc + [0x02]
        case .sha512: Self.sha2Arc + [0x03]
        }
    }

    private static let sha2Arc: [UInt8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02]
}
