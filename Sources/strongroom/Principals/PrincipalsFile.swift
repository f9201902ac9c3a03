import Foundation
import KMSModel
import KMSPolicy
import KMSServer

/// The file with accounts, users, roles, their policies and access keys (docs/configuration.md, "Principals").
enum PrincipalsFile {
    /// Reads a principals file, which must be readable by its owner only.
    ///
    /// - Parameter development: the user of `strongroom dev`, who is added to the others.
    /// - Errors: `ConfigurationError`, one sentence that names file, line, account, user or role, and the cause; never
    ///   a secret. Nothing of a broken file is used.
    static func load(_ file: URL, adding development: DevelopmentUser? = nil) throws -> LoadedPrincipals {
        try file.requirePrivate()
        var reader = PrincipalsReader()
        let content = try YAMLValue(readingFrom: file)
        for (id, account) in try content.members("accounts").required("accounts").entries() {
            try reader.read(account.placed(in: content), id: id)
        }
        if let development { try development.add(to: &reader.loaded) }
        return reader.loaded
    }
}

/// What a principals file says, checked as a whole.
struct LoadedPrincipals {
    private(set) var directory = PrincipalDirectory()
    private(set) var accessKeys: [AccessKey] = []
    private(set) var accountCount = 0
    private var accessKeyIDs: Set<String> = []

    var principals: Principals { Principals(directory: directory, accessKeys: accessKeys) }

    mutating func add(_ account: PrincipalDirectory.Account) {
        if directory.account(account.id) == nil { accountCount += 1 }
        directory.add(account)
    }

    mutating func add(user: Principal) { directory.add(user: user) }

    mutating func add(_ role: Role) { directory.add(role) }

    /// False when there is an access key with this id already.
    mutating func add(_ accessKey: AccessKey) -> Bool {
        guard accessKeyIDs.insert(accessKey.id).inserted else { return false }
        accessKeys.append(accessKey)
        return true
    }

    /// One sentence for each principal of a trust policy whom the file does not have. No error: whoever is missing may
    /// be added later, and until then nobody is let in.
    var warnings: [String] {
        directory.allRoles.sorted { $0.arn < $1.arn }.flatMap { role in
            role.trustPolicy.unknownPrincipals(in: directory).map { pattern in
                "the trust policy of \(role.arn) names \(pattern.text), which the principals file does not have"
            }
        }
    }
}
