import KMSModel
import KMSPolicy

/// Everything that a policy can ask of one request, answered when it asks.
struct RequestConditions: ConditionSource {
    private let caller: Principal
    private let environment: RequestEnvironment
    private let facts: RequestFacts
    /// What the request is about: nil for operations on no key.
    private let target: KeyTarget?
    /// The organization of the account that owns the target.
    private let organizationID: Text?

    init(
        _ caller: Principal, _ environment: RequestEnvironment, _ facts: RequestFacts, _ target: KeyTarget? = nil,
        organizationID: Text? = nil
    ) {
        self.caller = caller
        self.environment = environment
        self.facts = facts
        self.target = target
        self.organizationID = organizationID
    }

    func values(of key: ConditionKey) -> ConditionValues? {
        facts.values(of: key) ?? caller.values(of: key) ?? environment.values(of: key) ?? resourceValues(of: key)
    }

    private func resourceValues(of conditionKey: ConditionKey) -> ConditionValues? {
        switch conditionKey {
        case .known(.resourceAccount): .single(Text(target?.owner.accountID ?? caller.accountID))
        case .known(.resourceOrgID): (target == nil ? caller.organizationID : organizationID).map { .single($0) }
        case .known(.requestAlias): target?.requestAlias.map { .single(Text($0)) }
        // IAM User Guide: tag keys in condition keys compare without case.
        case .resourceTag(let name):
            target?.key?.tags.values(of: name)
        case .known(let known): target?.key.flatMap { values(of: known, $0) }
        case .encryptionContext, .principalTag, .requestTag, .absent: nil
        }
    }

    private func values(of known: KnownConditionKey, _ key: KMSKey) -> ConditionValues? {
        switch known {
        case .keySpec, .customerMasterKeySpec: .single(Text(key.keySpec.rawValue))
        case .keyUsage, .customerMasterKeyUsage: .single(Text(key.keyUsage.rawValue))
        case .keyOrigin: .single(Text(key.origin.rawValue))
        case .multiRegion: .single(key.multiRegion ? "true" : "false")
        case .multiRegionKeyType: key.multiRegionKeyType.map { .single(Text($0.rawValue)) }
        case .resourceAliases: .multiple(target?.aliases.map { Text($0) } ?? [])
        default: nil
        }
    }
}
