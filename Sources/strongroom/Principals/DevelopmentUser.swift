import KMSModel
import KMSPolicy
import KMSServer
import SecureMemory

/// The user that `strongroom dev` starts with, who may do everything in the account's name.
struct DevelopmentUser: Sendable {
    static let name: Text = "dev"
    static let defaultAccount = "000000000000"

    let account: String
    let accessKeyID: String
    let secretAccessKey: SecretBytes

    /// Adds the user and, unless it is there, the account.
    func add(to loaded: inout LoadedPrincipals) throws {
        let principal = Self.principal(account, loaded.directory.account(account)?.organizationID)
        guard loaded.directory.user(principal.arn) == nil else {
            throw ConfigurationError(
                "the principals file has the user \(principal.arn), whom `strongroom dev` makes itself; "
                    + "give the user another name, or choose another --account")
        }
        if loaded.directory.account(account) == nil { loaded.add(PrincipalDirectory.Account(id: account)) }
        loaded.add(user: principal)
        guard loaded.add(AccessKey(id: accessKeyID, secret: secretAccessKey, principal: principal)) else {
            throw ConfigurationError(
                "the principals file has the access key id \(accessKeyID), which is the one of `strongroom dev`; "
                    + "choose another --access-key-id")
        }
    }

    /// Adds the user to a directory that no access keys belong to, unless the directory has one of the same name.
    static func addIfMissing(account: String, to directory: inout PrincipalDirectory) {
        let principal = principal(account, directory.account(account)?.organizationID)
        guard directory.user(principal.arn) == nil else { return }
        if directory.account(account) == nil { directory.add(PrincipalDirectory.Account(id: account)) }
        directory.add(user: principal)
    }

    static func principal(_ account: String, _ organizationID: Text? = nil) -> Principal {
        let arn = Text("arn:aws:iam::\(account):user/\(name)")
        return Principal(
            kind: .user(name: name), accountID: account, arn: arn, identityARN: arn,
            uniqueID: UniqueID.user(arn: arn), identityPolicies: [.administratorAccess],
            organizationID: organizationID)
    }

    /// The user alone, for a server without principals file.
    func alone() throws -> LoadedPrincipals {
        var loaded = LoadedPrincipals()
        try add(to: &loaded)
        return loaded
    }
}
