import Foundation
import KMSModel
import KeyStores
import SecureMemory

/// What GetParametersForImport gives beside the public key, and ImportKeyMaterial wants back: which wrapping key for
/// which KMS key, and until when. Authenticated with the server secret, so that nobody can make one or change one.
struct ImportToken: Hashable {
    static let version: UInt8 = 1
    static let lifetimeSeconds = 24 * 3600.0
    private static let codeByteCount = 32

    let wrappingKeyID: BackingKeyID
    let wrappingAlgorithm: AlgorithmSpec
    let wrappingKeySpec: WrappingKeySpec
    let scope: Scope
    let keyID: String
    let expirationDate: Timestamp

    init(_ parameters: ImportParameters) {
        wrappingKeyID = parameters.wrappingKey.id
        wrappingAlgorithm = parameters.wrappingKey.wrappingAlgorithm
        wrappingKeySpec = parameters.wrappingKey.wrappingKeySpec
        scope = parameters.scope
        keyID = parameters.wrappingKey.kmsKeyID
        expirationDate = parameters.expirationDate
    }

    func bytes(_ secret: ServerSecret) throws(KMSError) -> [UInt8] {
        // None of the parts contains a slash.
        let parts = [
            scope.accountID, scope.region, keyID, wrappingAlgorithm.rawValue, wrappingKeySpec.rawValue,
            String(expirationDate.secondsSinceEpoch.bitPattern),
        ]
        let content = [Self.version] + wrappingKeyID.bytes + Array(parts.joined(separator: "/").utf8)
        return content + (try secret.importTokenCode(content))
    }

    /// Errors: InvalidImportTokenException for everything that `bytes` did not make.
    init(_ bytes: [UInt8], _ secret: ServerSecret) throws(KMSError) {
        let prefixByteCount = 1 + BackingKeyID.byteCount
        guard bytes.count > prefixByteCount + Self.codeByteCount, bytes[0] == Self.version else {
            throw .unknownImportToken
        }
        let content = Array(bytes.dropLast(Self.codeByteCount))
        let code = Array(bytes.suffix(Self.codeByteCount))
        let expected = try secret.importTokenCode(content)
        guard constantTimeEquals(code.span, expected.span) else { throw .unknownImportToken }
        let parts = String(decoding: content[prefixByteCount...], as: UTF8.self)
            .split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 6, let wrappingKeyID = BackingKeyID(bytes: Array(content[1..<prefixByteCount])),
            let algorithm = AlgorithmSpec(rawValue: parts[3]), let spec = WrappingKeySpec(rawValue: parts[4]),
            let date = UInt64(parts[5]), let expirationDate = Timestamp(exactly: Double(bitPattern: date))
        else { throw .unknownImportToken }
        self.wrappingKeyID = wrappingKeyID
        wrappingAlgorithm = algorithm
        wrappingKeySpec = spec
        scope = Scope(accountID: parts[0], region: parts[1])
        keyID = parts[2]
        self.expirationDate = expirationDate
    }
}

extension KMSError {
    /// The text is not known from AWS.
    static let unknownImportToken = KMSError(
        .invalidImportToken,
        "The import token is not one that GetParametersForImport returned for this KMS key.")
    /// The text is not known from AWS.
    static let expiredImportToken = KMSError(
        .expiredImportToken,
        "The import token has expired. Call GetParametersForImport and wrap the key material again.")
}
