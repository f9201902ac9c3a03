package import KMSModel
package import KMSPolicy
package import KeyStores

/// All metadata in memory, indexed the way requests ask for it. Changed only by `apply`, with what has been committed.
package struct Directory: Sendable {
    /// What belongs to one account and Region.
    package struct Contents: Sendable {
        package fileprivate(set) var keys: [String: KMSKey] = [:]
        package fileprivate(set) var keyIDs = SortedNames()
        package fileprivate(set) var aliases: [String: Alias] = [:]
        package fileprivate(set) var aliasNames = SortedNames()
        fileprivate var aliasNamesByKey: [String: SortedNames] = [:]
        fileprivate var grants: [String: GrantIndex] = [:]
        fileprivate var lastUses: [String: KeyLastUse] = [:]
        /// What is in force for the keys that have no policy of their own.
        fileprivate let defaultPolicy: PolicyDocument?

        /// AWS managed keys are those with an alias that is reserved for them.
        var customerManagedKeyCount: Int {
            let managed = aliasNames.after(AWSService.aliasPrefix).prefix { $0.hasPrefix(AWSService.aliasPrefix) }
            return keys.count - managed.count
        }

        fileprivate init(_ scope: Scope) { defaultPolicy = DefaultKeyPolicy.policy(for: scope).document }
    }

    private var contents: [Scope: Contents] = [:]
    private var retirableGrants = RetirableGrants()
    package private(set) var customKeyStores: [String: CustomKeyStore] = [:]
    package private(set) var intents: [BackingKeyID: Intent] = [:]
    package private(set) var settings: [MetadataSetting: [UInt8]]
    package private(set) var refusedPINs: [String: Set<[UInt8]>]
    package private(set) var messageReservations: [[UInt8]: UInt64]
    package private(set) var importParameters: [BackingKeyID: ImportParameters] = [:]

    package init(_ stored: MetadataContents) {
        settings = stored.settings
        refusedPINs = stored.refusedPINs
        messageReservations = stored.messageReservations
        for key in stored.keys { apply(.putKey(key)) }
        for alias in stored.aliases { apply(.putAlias(alias)) }
        for grant in stored.grants { apply(.putGrant(grant)) }
        for keyStore in stored.customKeyStores { apply(.putCustomKeyStore(keyStore)) }
        for intent in stored.intents { apply(.putIntent(intent)) }
        for parameters in stored.importParameters { apply(.putImportParameters(parameters)) }
        for use in stored.lastUses { apply(.putLastUse(use)) }
    }

    // MARK: Reading

    package func key(_ id: String, in scope: Scope) -> KMSKey? { contents[scope]?.keys[id] }

    package func alias(_ name: String, in scope: Scope) -> Alias? { contents[scope]?.aliases[name] }

    package func contents(of scope: Scope) -> Contents { contents[scope] ?? Contents(scope) }

    package func lastUse(of keyID: String, in scope: Scope) -> KeyLastUse? { contents[scope]?.lastUses[keyID] }

    package var scopes: [Scope] { Array(contents.keys) }

    /// The names of the aliases that point at a key, sorted.
    package func aliasNames(of keyID: String, in scope: Scope) -> SortedNames {
        contents[scope]?.aliasNamesByKey[keyID] ?? SortedNames()
    }

    /// The key with this id in any account of a Region, the account of `scope` first. Ids are random: two accounts
    /// have no key with the same one.
    package func key(_ id: String, inRegionOf scope: Scope) -> KMSKey? {
        if let key = key(id, in: scope) { return key }
        for (other, contents) in contents where other.region == scope.region {
            if let key = contents.keys[id] { return key }
        }
        return nil
    }

    /// The default key policy of an account.
    func defaultPolicy(in scope: Scope) -> PolicyDocument? { contents[scope]?.defaultPolicy }

    /// The import parameters that wait for material of a key, oldest first.
    package func importParameters(for key: KMSKey) -> [ImportParameters] {
        // Few: they are capped per key and per store.
        importParameters.values.filter { $0.scope == key.scope && $0.wrappingKey.kmsKeyID == key.id }
            .sorted { $0.creationDate < $1.creationDate }
    }

    // MARK: Grants

    /// The grants on a key that may allow `caller` an operation, found without looking at the others.
    func grantCandidates(
        on keyID: String, in scope: Scope, for caller: Principal, operation: GrantOperation,
        encryptionContext: [Text: Text]?
    ) -> [Grant] {
        contents[scope]?.grants[keyID]?
            .candidates(for: caller, operation: operation, encryptionContext: encryptionContext) ?? []
    }

    package func grant(_ id: String, on keyID: String, in scope: Scope) -> Grant? {
        contents[scope]?.grants[keyID]?.grant(id)
    }

    /// The index of a key's grants. Hold it only as long as the directory is lent: a copy that outlives that makes the
    /// next change copy all of it.
    package func grants(on keyID: String, in scope: Scope) -> GrantIndex {
        contents[scope]?.grants[keyID] ?? GrantIndex()
    }

    /// The grants of one Region that a principal may retire, in a stable order.
    package func grants(retiredBy principal: Text, region: String, after marker: String?) -> ArraySlice<String> {
        retirableGrants.places(principal, region: region, after: marker)
    }

    /// The grant at a place that `grants(retiredBy:)` gave.
    package func grant(at place: String, region: String) -> KeyGrant? {
        RetirableGrants.parts(of: place, region: region).flatMap { scope, keyID, id in
            grant(id, on: keyID, in: scope).map { KeyGrant(scope: scope, keyID: keyID, grant: $0) }
        }
    }

    /// Every KMS key of every account and Region for which `condition` holds.
    package func keys(where condition: (KMSKey) -> Bool) -> [KMSKey] {
        contents.values.flatMap { $0.keys.values.filter(condition) }
    }

    /// The custom key stores of one account and Region, oldest first.
    package func customKeyStores(in scope: Scope) -> [CustomKeyStore] {
        customKeyStores.values.filter { $0.scope == scope }
            .sorted { ($0.creationDate, $0.id) < ($1.creationDate, $1.id) }
    }

    // MARK: Changing

    package mutating func apply(_ change: MetadataChange) {
        switch change {
        case .putKey(let key):
            if contents[key.scope, default: Contents(key.scope)].keys.updateValue(key, forKey: key.id) == nil {
                contents[key.scope]?.keyIDs.insert(key.id)
            }
        case .deleteKey(let id, let scope):
            deleteKey(id, in: scope)
        case .putAlias(let alias):
            putAlias(alias)
        case .deleteAlias(let name, let scope):
            if let alias = contents[scope]?.aliases.removeValue(forKey: name) {
                contents[scope]?.aliasNames.remove(name)
                contents[scope]?.aliasNamesByKey[alias.targetKeyID]?.remove(name)
            }
        case .putGrant(let grant):
            contents[grant.scope, default: Contents(grant.scope)].grants[grant.keyID, default: GrantIndex()]
                .insert(grant.grant)
            retirableGrants.insert(grant)
        case .deleteGrant(let id, let keyID, let scope):
            if let grant = grant(id, on: keyID, in: scope) {
                retirableGrants.remove(KeyGrant(scope: scope, keyID: keyID, grant: grant))
                contents[scope]?.grants[keyID]?.remove(id)
            }
        case .putCustomKeyStore(let keyStore):
            customKeyStores[keyStore.id] = keyStore
        case .deleteCustomKeyStore(let id):
            customKeyStores[id] = nil
        case .putIntent(let intent):
            intents[intent.backingKeyID] = intent
        case .deleteIntent(let id):
            intents[id] = nil
        case .putSetting(let setting, let value):
            settings[setting] = value
        case .refusePIN(let clusterID, let keyedHash):
            refusedPINs[clusterID, default: []].insert(keyedHash)
        case .forgetPIN(let clusterID, let keyedHash):
            refusedPINs[clusterID]?.remove(keyedHash)
        case .reserveMessages(let materialID, let total):
            messageReservations[materialID] = total
        case .putImportParameters(let parameters):
            importParameters[parameters.wrappingKey.id] = parameters
        case .deleteImportParameters(let id):
            importParameters[id] = nil
        case .putLastUse(let use):
            contents[use.scope]?.lastUses[use.keyID] = use
        }
    }

    private mutating func deleteKey(_ id: String, in scope: Scope) {
        guard let key = contents[scope]?.keys.removeValue(forKey: id) else { return }
        contents[scope]?.keyIDs.remove(id)
        contents[scope]?.aliasNamesByKey[id] = nil
        contents[scope]?.lastUses[id] = nil
        if let grants = contents[scope]?.grants.removeValue(forKey: id) {
            retirableGrants.removeAll(of: id, in: scope, retiredBy: grants.retiringPrincipals)
        }
        for parameters in importParameters(for: key) { importParameters[parameters.wrappingKey.id] = nil }
        // The replicas of a multi-Region key share its material.
        guard !key.multiRegion else { return }
        for material in key.materials { messageReservations[material.materialID] = nil }
    }

    private mutating func putAlias(_ alias: Alias) {
        let before = contents[alias.scope, default: Contents(alias.scope)].aliases.updateValue(
            alias, forKey: alias.name)
        if let before {
            contents[alias.scope]?.aliasNamesByKey[before.targetKeyID]?.remove(alias.name)
        } else {
            contents[alias.scope]?.aliasNames.insert(alias.name)
        }
        contents[alias.scope]?.aliasNamesByKey[alias.targetKeyID, default: SortedNames()].insert(alias.name)
    }
}
