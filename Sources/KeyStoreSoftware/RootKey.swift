public import Cryptography
public import SecureMemory

/// The key under which everything secret of this installation is sealed at rest: 32 bytes in a file of mode 0600.
///
/// Whoever has this file and the data directory has every software key; without it nothing sealed can be read again.
/// It is part of every backup, and belongs on another medium than the rest.
public final class RootKey: Sendable {
    public static let byteCount = 32

    private let key: SecretBytes

    /// Errors: `invalidLength` unless `key` has 32 bytes.
    package init(_ key: SecretBytes) throws(CryptographyError) {
        guard key.count == Self.byteCount else {
            throw CryptographyError(.invalidLength, "a root key has \(Self.byteCount) bytes, not \(key.count)")
        }
        self.key = key
    }

    /// Reads the root key from its file.
    ///
    /// Errors (`SecretFile.Failure`): `notFound`, `notPrivate`, `wrongLength`, `inputOutput`, each with a sentence for
    /// the operator.
    public static func open(at path: String) throws -> RootKey {
        try RootKey(SecretFile.read(path, count: byteCount))
    }

    /// Makes a new root key and its file, durable when this returns. For an installation that has sealed nothing yet:
    /// what was sealed under another root key stays unreadable.
    ///
    /// Errors: `SecretFile.Failure`, `alreadyExists` among them; `CryptographyError`.
    public static func create(at path: String) throws -> RootKey {
        let key = try SystemRandom.secret(byteCount)
        try SecretFile.create(path, key)
        return try RootKey(key)
    }

    /// `open`, or `create` where there is no file.
    public static func openOrCreate(at path: String) throws -> RootKey {
        do {
            return try open(at: path)
        } catch let failure as SecretFile.Failure where failure.code == .notFound {
            return try create(at: path)
        }
    }

    /// Seals a secret: `version (1 byte) ‖ nonce (16) ‖ ciphertext ‖ tag (16)`.
    ///
    /// AES-256-GCM under a key and an IV derived from the root key, the purpose and the nonce, so that random nonces
    /// set no limit to how much is sealed (SP 800-38D §8.3 would, for random IVs under one key).
    ///
    /// - Parameters:
    ///   - purpose: what the secret is, one fixed word per use; secrets of different purposes open nowhere else.
    ///   - associatedData: what the secret belongs to; the same bytes must be given to `open`.
    public func seal(
        _ secret: SecretBytes, purpose: String, associatedData: [UInt8]
    ) throws(CryptographyError) -> [UInt8] {
        try Sealing.seal(secret, under: key, label: label(purpose), associatedData: associatedData)
    }

    /// The reverse of `seal`.
    ///
    /// Errors: `authenticationFailure` for another root key, purpose or associated data, and for anything changed.
    public func open(
        _ sealed: [UInt8], purpose: String, associatedData: [UInt8]
    ) throws(CryptographyError) -> SecretBytes {
        try Sealing.open(sealed, under: key, label: label(purpose), associatedData: associatedData)
    }

    private func label(_ purpose: String) -> [UInt8] { Array("strongroom-seal-v1/\(purpose)".utf8) }
}
