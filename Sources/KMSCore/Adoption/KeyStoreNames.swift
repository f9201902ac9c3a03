public import KMSModel
import KMSPolicy

extension CustomKeyStore {
    /// Whether an operator means this one by a name or an id.
    func answers(to name: String) -> Bool { id == name || self.name.string == name }
}

// Key stores as an operator names them, who sees all accounts and Regions.
extension KeyManagementService {
    /// The account and Region in which a key of a key store is made: those of the custom key store that has this name
    /// or id; for the default key store those that are given, or the only account there is.
    ///
    /// Errors: ValidationException that says what is missing, CustomKeyStoreNotFoundException.
    public func scope(
        ofKeyStoreNamed name: String, account: String?, region: String?
    ) throws(KMSError) -> Scope {
        guard name != Self.defaultKeyStoreName else {
            let account = if let account { account } else { try onlyAccount() }
            return Scope(accountID: account, region: region ?? "us-east-1")
        }
        let found = metadata.read { directory in
            directory.customKeyStores.values.filter { keyStore in
                keyStore.answers(to: name)
                    && account.map { $0 == keyStore.scope.accountID } ?? true
                    && region.map { $0 == keyStore.scope.region } ?? true
            }
        }
        guard let keyStore = found.first else { throw .customKeyStoreNotFound(name) }
        guard found.count == 1 else {
            throw .validation(
                "\(found.count) custom key stores have the name \(name): give the id of the one that is meant.")
        }
        return keyStore.scope
    }

    private func onlyAccount() throws(KMSError) -> String {
        let everybody = principals()
        let accounts = Set(everybody.allUsers.map(\.accountID))
        guard let account = accounts.first, accounts.count == 1 else {
            throw .validation("There are \(accounts.count) accounts with users: give the account of the key.")
        }
        return account
    }
}
