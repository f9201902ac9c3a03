import Foundation
import KMSCore
import KMSServer
import SecureMemory

/// The file with accounts, users and access keys (docs/configuration.md, "Principals").
struct PrincipalsFile: Decodable {
    struct Account: Decodable {
        var users: [User]?
    }

    struct User: Decodable {
        var name: String
        var accessKeys: [Key]
    }

    struct Key: Decodable {
        var id: String
        var secret: String
        var sessionToken: String?
    }

    var accounts: [String: Account]

    private static let schema: YAMLSchema = .keys([
        "accounts": .anyKeys(
            .keys([
                "users": .list(
                    .keys([
                        "name": .scalar,
                        "accessKeys": .list(.keys(["id": .scalar, "secret": .scalar, "sessionToken": .scalar])),
                    ]))
            ]))
    ])

    /// Reads a principals file, which must be readable by its owner only.
    static func load(_ file: URL) throws -> [AccessKey] {
        try file.requirePrivate()
        let content = try StrictYAML.decode(Self.self, from: file, schema: schema)
        var ids: Set<String> = []
        var accessKeys: [AccessKey] = []
        for (accountID, account) in content.accounts.sorted(by: { $0.key < $1.key }) {
            guard accountID.utf8.count == 12, accountID.utf8.allSatisfy({ (48...57).contains($0) }) else {
                throw ConfigurationError("\(file.path): the account \(accountID) must be 12 digits in quotation marks")
            }
            for user in account.users ?? [] {
                let caller = Caller(accountID: accountID, principalARN: "arn:aws:iam::\(accountID):user/\(user.name)")
                for key in user.accessKeys {
                    guard ids.insert(key.id).inserted else {
                        throw ConfigurationError("\(file.path): the access key id \(key.id) stands there twice")
                    }
                    accessKeys.append(
                        AccessKey(
                            id: key.id, secret: SecretBytes(copying: Array(key.secret.utf8).span),
                            sessionToken: key.sessionToken.map { SecretBytes(copying: Array($0.utf8).span) },
                            caller: caller))
                }
            }
        }
        return accessKeys
    }
}
