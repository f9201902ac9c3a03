import Foundation
import KMSModel
import KMSPolicy
import SecureMemory

/// What a grant token stands for. Tokens are not stored: a token names its grant and is authenticated with the server
/// secret, so that a grant may have any number of them (KMS API: CreateGrant gives a new one each time).
///
/// Here a grant is in force when CreateGrant has answered, so that tokens add nothing to the decision; they are checked
/// and may name the grant to retire.
struct GrantToken: Hashable {
    static let version: UInt8 = 1
    private static let nonceByteCount = 16
    private static let codeByteCount = 32

    let scope: Scope
    let keyID: String
    let grantID: String

    /// A new token, in base64.
    func text(_ secret: ServerSecret) throws(KMSError) -> Text {
        var generator = SystemRandomNumberGenerator()
        var bytes = [Self.version]
        for _ in 0..<Self.nonceByteCount { bytes.append(UInt8.random(in: .min ... .max, using: &generator)) }
        bytes += "\(scope.accountID)/\(scope.region)/\(keyID)/\(grantID)".utf8
        return Text(Data(bytes + (try secret.grantTokenCode(bytes))).base64EncodedString())
    }

    /// Errors: InvalidGrantTokenException for everything that `text` did not make.
    init(_ text: Text, _ secret: ServerSecret) throws(KMSError) {
        guard let data = Data(base64Encoded: text.string), data.first == Self.version,
            data.count > 1 + Self.nonceByteCount + Self.codeByteCount
        else { throw .unknownGrantToken }
        let content = Array(data.dropLast(Self.codeByteCount))
        let code = Array(data.suffix(Self.codeByteCount))
        let expected = try secret.grantTokenCode(content)
        guard constantTimeEquals(code.span, expected.span) else { throw .unknownGrantToken }
        let parts = String(decoding: content.dropFirst(1 + Self.nonceByteCount), as: UTF8.self)
            .split(separator: "/").map(String.init)
        guard parts.count == 4 else { throw .unknownGrantToken }
        self.init(scope: Scope(accountID: parts[0], region: parts[1]), keyID: parts[2], grantID: parts[3])
    }

    init(scope: Scope, keyID: String, grantID: String) {
        self.scope = scope
        self.keyID = keyID
        self.grantID = grantID
    }
}

extension KeyManagementService {
    /// Errors: InvalidGrantTokenException for a token that no CreateGrant gave, and for one whose grant is gone.
    func check(grantTokens: [Text]?, _ context: RequestContext) throws(KMSError) {
        for token in grantTokens ?? [] { _ = try grant(token, context) }
    }

    /// The grant that a token stands for.
    func grant(_ token: Text, _ context: RequestContext) throws(KMSError) -> KeyGrant {
        let token = try GrantToken(token, serverSecret)
        // Grants are of a Region, like their keys.
        guard token.scope.region == context.region else { throw .unknownGrantToken }
        let grant = metadata.read { $0.grant(token.grantID, on: token.keyID, in: token.scope) }
        guard let grant else { throw .unknownGrantToken }
        return KeyGrant(scope: token.scope, keyID: token.keyID, grant: grant)
    }
}
