import Cryptography
import KMSModel
import KeyStores
import SecureMemory
import Synchronization

/// The secret under which KeyMaterialIds, the hashes of refused PINs, grant and import tokens, markers and session
/// credentials are made, so that the first two are no offline oracles and the others cannot be forged. It is part of
/// every backup: without it, KeyMaterialIds of re-imported material would change.
struct ServerSecret: Sendable {
    static let byteCount = 32
    static let sealingPurpose = "server-secret"

    private let secret: SecretBytes

    init(_ secret: SecretBytes) { self.secret = secret }

    /// KeyMaterialId: the same for the same bytes under the same KMS key, and only then.
    func materialID(keyID: String, fingerprint: SecretBytes) throws(KMSError) -> [UInt8] {
        try hash("key-material-id", keyID, fingerprint)
    }

    func pinHash(_ pin: SecretBytes, clusterID: String) throws(KMSError) -> [UInt8] {
        try hash("refused-pin", clusterID, pin)
    }

    /// Stands beside the refused ones; another purpose, so that it is never taken for one.
    func undecidedPINHash(_ pin: SecretBytes, clusterID: String) throws(KMSError) -> [UInt8] {
        try hash("undecided-pin", clusterID, pin)
    }

    /// Authenticates a grant token.
    func grantTokenCode(_ content: [UInt8]) throws(KMSError) -> [UInt8] {
        try hash("grant-token", "", SecretBytes(copying: content.span))
    }

    /// Authenticates an import token.
    func importTokenCode(_ content: [UInt8]) throws(KMSError) -> [UInt8] {
        try hash("import-token", "", SecretBytes(copying: content.span))
    }

    /// Authenticates the marker of a listing.
    func markerCode(_ content: [UInt8]) throws(KMSError) -> [UInt8] {
        try hash("marker", "", SecretBytes(copying: content.span))
    }

    /// The secret from which everything about session credentials is derived.
    func sessionSecret() throws(KMSError) -> SecretBytes {
        let bytes = try hash("session-credentials", "", SecretBytes(copying: [UInt8]().span))
        return SecretBytes(copying: bytes.span)
    }

    /// HMAC-SHA-256 over three parts, the first two ended by a zero byte that neither can contain.
    private func hash(_ purpose: String, _ name: String, _ value: SecretBytes) throws(KMSError) -> [UInt8] {
        let prefix = Array(purpose.utf8) + [0] + Array(name.utf8) + [0]
        let message = SecretBytes(capacity: prefix.count + value.count) { output in
            for byte in prefix { output.append(byte) }
            value.withBytes { bytes in
                for index in bytes.indices { output.append(bytes[index]) }
            }
        }
        do {
            return try message.withBytes { bytes throws(CryptographyError) in
                try HMACSHA256.authenticate(bytes, key: secret)
            }
        } catch {
            throw .internalError
        }
    }
}

/// PINs that were refused or are being tried, remembered in the metadata; refused ones also in memory, in case the disk
/// is full.
final class StoredRefusedPINs: RefusedPINs {
    private let metadata: Metadata
    private let serverSecret: ServerSecret
    private let seen = Mutex<Set<[UInt8]>>([])

    init(metadata: Metadata, serverSecret: ServerSecret) {
        self.metadata = metadata
        self.serverSecret = serverSecret
    }

    func isRefused(_ pin: SecretBytes, device clusterID: String) -> Bool {
        // Fail closed: a PIN that cannot be looked up is not tried.
        guard let hash = try? serverSecret.pinHash(pin, clusterID: clusterID) else { return true }
        return seen.withLock { $0.contains(hash) }
            || metadata.read { $0.refusedPINs[clusterID]?.contains(hash) ?? false }
    }

    func refuse(_ pin: SecretBytes, device clusterID: String) async {
        guard let hash = try? serverSecret.pinHash(pin, clusterID: clusterID) else { return }
        seen.withLock { _ = $0.insert(hash) }
        _ = try? await metadata.write { _, changes throws(KMSError) in
            changes.append(.refusePIN(clusterID: clusterID, keyedHash: hash))
        }
    }

    func isUndecided(_ pin: SecretBytes, device clusterID: String) -> Bool {
        guard let hash = try? serverSecret.undecidedPINHash(pin, clusterID: clusterID) else { return false }
        return metadata.read { $0.refusedPINs[clusterID]?.contains(hash) ?? false }
    }

    func beginLogin(_ pin: SecretBytes, device clusterID: String) async {
        guard !isUndecided(pin, device: clusterID),
            let hash = try? serverSecret.undecidedPINHash(pin, clusterID: clusterID)
        else { return }
        _ = try? await metadata.write { _, changes throws(KMSError) in
            changes.append(.refusePIN(clusterID: clusterID, keyedHash: hash))
        }
    }

    func endLogin(_ pin: SecretBytes, device clusterID: String) async {
        guard isUndecided(pin, device: clusterID),
            let hash = try? serverSecret.undecidedPINHash(pin, clusterID: clusterID)
        else { return }
        _ = try? await metadata.write { _, changes throws(KMSError) in
            changes.append(.forgetPIN(clusterID: clusterID, keyedHash: hash))
        }
    }
}
