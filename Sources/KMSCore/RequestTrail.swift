import Synchronization

/// What a request turned out to be about: noted on the way, for its audit line and for GetKeyLastUsage.
public final class RequestTrail: Sendable {
    /// A KMS key that the request was authorized for, or was not.
    public struct Key: Hashable, Sendable {
        public let id: String
        public let scope: Scope
        public let arn: String
        public let customKeyStoreID: String?
    }

    public struct Notes: Sendable {
        /// In the order in which they were met, each once.
        public fileprivate(set) var keys: [Key] = []
        /// Of the alias that the request creates, changes or deletes.
        public fileprivate(set) var aliasARN: String?
        public fileprivate(set) var customKeyStore: CustomKeyStore?
        public fileprivate(set) var grantID: String?
    }

    private let content = Mutex(Notes())

    init() {}

    public var notes: Notes { content.withLock { $0 } }

    func note(_ key: KMSKey) {
        let key = Key(id: key.id, scope: key.scope, arn: key.arn, customKeyStoreID: key.customKeyStoreID)
        content.withLock { notes in
            if !notes.keys.contains(key) { notes.keys.append(key) }
        }
    }

    func note(aliasARN: String) { content.withLock { $0.aliasARN = aliasARN } }

    func note(_ customKeyStore: CustomKeyStore) { content.withLock { $0.customKeyStore = customKeyStore } }

    func note(grantID: String) { content.withLock { $0.grantID = grantID } }
}
