package import KeyStores

/// All metadata in memory, indexed the way requests ask for it. Changed only by `apply`, with what has been committed.
package struct Directory: Sendable {
    /// What belongs to one account and Region.
    package struct Contents: Sendable {
        package fileprivate(set) var keys: [String: KMSKey] = [:]
        package fileprivate(set) var keyIDs = SortedNames()
        package fileprivate(set) var aliases: [String: Alias] = [:]
        package fileprivate(set) var aliasNames = SortedNames()
    }

    private var contents: [Scope: Contents] = [:]
    package private(set) var customKeyStores: [String: CustomKeyStore] = [:]
    package private(set) var intents: [BackingKeyID: Intent] = [:]
    package private(set) var settings: [MetadataSetting: [UInt8]]
    package private(set) var refusedPINs: [String: Set<[UInt8]>]
    package private(set) var messageReservations: [BackingKeyID: UInt64]

    package init(_ stored: MetadataContents) {
        settings = stored.settings
        refusedPINs = stored.refusedPINs
        messageReservations = stored.messageReservations
        for key in stored.keys { apply(.putKey(key)) }
        for alias in stored.aliases { apply(.putAlias(alias)) }
        for keyStore in stored.customKeyStores { apply(.putCustomKeyStore(keyStore)) }
        for intent in stored.intents { apply(.putIntent(intent)) }
    }

    // MARK: Reading

    package func key(_ id: String, in scope: Scope) -> KMSKey? { contents[scope]?.keys[id] }

    package func alias(_ name: String, in scope: Scope) -> Alias? { contents[scope]?.aliases[name] }

    package func contents(of scope: Scope) -> Contents { contents[scope] ?? Contents() }

    package var scopes: [Scope] { Array(contents.keys) }

    /// The names of the aliases that point at a key, sorted.
    package func aliases(of keyID: String, in scope: Scope) -> [Alias] {
        guard let contents = contents[scope] else { return [] }
        return contents.aliasNames.all.compactMap { contents.aliases[$0] }.filter { $0.targetKeyID == keyID }
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
            if contents[key.scope, default: Contents()].keys.updateValue(key, forKey: key.id) == nil {
                contents[key.scope]?.keyIDs.insert(key.id)
            }
        case .deleteKey(let id, let scope):
            if let key = contents[scope]?.keys.removeValue(forKey: id) {
                contents[scope]?.keyIDs.remove(id)
                for material in key.materials { messageReservations[material.backingKey.id] = nil }
            }
        case .putAlias(let alias):
            if contents[alias.scope, default: Contents()].aliases.updateValue(alias, forKey: alias.name) == nil {
                contents[alias.scope]?.aliasNames.insert(alias.name)
            }
        case .deleteAlias(let name, let scope):
            if contents[scope]?.aliases.removeValue(forKey: name) != nil {
                contents[scope]?.aliasNames.remove(name)
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
        case .reserveMessages(let id, let total):
            messageReservations[id] = total
        }
    }
}

/// ASCII names in order, so that a listing can go on after the last name of the previous page even when that name
/// has been deleted meanwhile.
package struct SortedNames: Sendable {
    package private(set) var all: [String] = []

    package init() {}

    package mutating func insert(_ name: String) {
        let index = firstIndex(notBefore: name)
        if index == all.count || all[index] != name { all.insert(name, at: index) }
    }

    package mutating func remove(_ name: String) {
        let index = firstIndex(notBefore: name)
        if index < all.count, all[index] == name { all.remove(at: index) }
    }

    /// The names that come after `marker`, which need not be among them.
    package func after(_ marker: String?) -> ArraySlice<String> {
        guard let marker else { return all[...] }
        let index = firstIndex(notBefore: marker)
        return index < all.count && all[index] == marker ? all[(index + 1)...] : all[index...]
    }

    private func firstIndex(notBefore name: String) -> Int {
        var low = 0
        var high = all.count
        while low < high {
            let middle = (low + high) / 2
            if all[middle] < name { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
