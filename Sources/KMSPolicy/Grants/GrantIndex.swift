public import KMSModel

/// The grants of one KMS key, found by whom they serve without looking at the others: a key may have 50,000.
///
/// A look-up goes by grantee, operation and encryption context, and takes one of those grants that could not be told
/// apart by any request; so its cost follows from the caller's names and the pairs of the encryption context alone. Two
/// things walk further: grants with many different EncryptionContextSubset constraints that share their rarest pair,
/// and CreateGrant, whose grants differ in what may be made with them.
public struct GrantIndex: Sendable {
    private var grants: [String: IndexedGrant] = [:]
    private var all = GrantList()
    private var byName: [Text: GrantList] = [:]
    private var byGrantee: [Text: GranteeGrants] = [:]

    public init() {}

    public var count: Int { all.grants.count }

    /// Replaces a grant with the same id.
    public mutating func insert(_ grant: Grant) {
        remove(grant.id)
        let indexed = IndexedGrant(grant)
        grants[grant.id] = indexed
        all.insert(indexed)
        if let name = grant.name { byName[name, default: GrantList()].insert(indexed) }
        byGrantee[grant.granteePrincipal, default: GranteeGrants()].insert(indexed)
    }

    /// Does nothing when there is no such grant.
    public mutating func remove(_ id: String) {
        guard let indexed = grants.removeValue(forKey: id) else { return }
        let grant = indexed.grant
        all.remove(indexed)
        if let name = grant.name { byName.update(name) { $0.remove(indexed) } }
        byGrantee.update(grant.granteePrincipal) { $0.remove(indexed) }
    }

    /// Everyone who may retire one of the grants.
    public var retiringPrincipals: Set<Text> { Set(all.grants.compactMap(\.grant.retiringPrincipal)) }

    public func grant(_ id: String) -> Grant? { grants[id]?.grant }

    /// The ids behind `marker` in their order, at most `limit` of them; the marker need not be there any more.
    public func ids(after marker: String?, limit: Int) -> [String] {
        let start = marker.map { all.position(after: $0) } ?? 0
        return all.grants[start...].prefix(max(0, limit)).map(\.grant.id)
    }

    /// The first grant of that name for which `condition` holds, by id.
    public func first(named name: Text, where condition: (Grant) -> Bool) -> Grant? {
        byName[name]?.grants.first { condition($0.grant) }?.grant
    }

    /// As `ids(after:limit:)`, of the grants to a grantee of exactly that ARN.
    public func ids(grantedTo arn: Text, after marker: String?, limit: Int) -> [String] {
        guard let list = byGrantee[arn]?.all else { return [] }
        return list.grants[(marker.map { list.position(after: $0) } ?? 0)...].prefix(max(0, limit)).map(\.grant.id)
    }

    /// The grants to a grantee of exactly that ARN, by id.
    public func granted(to arn: Text) -> [Grant] { byGrantee[arn]?.all.grants.map(\.grant) ?? [] }

    /// The grants that cover the operation for the caller: those to his user or session, then those to his role, then
    /// those to his account.
    ///
    /// Of grants that are alike in grantee, operation and constraints, only the one with the lowest id. For
    /// CreateGrant, all: see `parents(of:for:)`.
    /// - Parameter encryptionContext: that of the request; nil is the same as empty.
    public func candidates(
        for principal: Principal, operation: GrantOperation, encryptionContext: [Text: Text]?
    ) -> [Grant] {
        guard !byGrantee.isEmpty else { return [] }
        var result: [Grant] = []
        for arn in principal.grantARNs {
            guard let grants = byGrantee[arn]?.byOperation[operation] else { continue }
            if operation == .createGrant {
                grants.forEach { result.append($0.grant) }
            } else {
                grants.forEachRepresentative(encryptionContext ?? [:]) { result.append($0.grant) }
            }
        }
        return result
    }

    /// The grants that let the caller make `child`: those to him that convey CreateGrant and contain the child.
    /// At most one for each of the constraints that would do.
    public func parents(of child: Grant, for principal: Principal) -> [Grant] {
        var result: [Grant] = []
        for arn in principal.grantARNs {
            byGrantee[arn]?.byOperation[.createGrant]?.forEachList(containing: child) { list in
                guard let parent = list.grants.first(where: { $0.grant.contains(child: child) })?.grant else { return }
                // A child with both constraints meets some lists twice.
                if !result.contains(where: { $0.id == parent.id }) { result.append(parent) }
            }
        }
        return result
    }
}

/// A grant in one allocation, so that lists of grants are lists of references.
final class IndexedGrant: Sendable {
    let grant: Grant

    init(_ grant: Grant) { self.grant = grant }
}

/// Grants in the order of their ids.
struct GrantList: Sendable {
    private(set) var grants: [IndexedGrant] = []

    var isEmpty: Bool { grants.isEmpty }

    mutating func insert(_ grant: IndexedGrant) {
        grants.insert(grant, at: position(after: grant.grant.id))
    }

    mutating func remove(_ grant: IndexedGrant) {
        let position = position(after: grant.grant.id) - 1
        guard position >= 0, grants[position].grant.id == grant.grant.id else { return }
        grants.remove(at: position)
    }

    /// The number of grants whose ids are not behind `id`.
    func position(after id: String) -> Int {
        var low = 0
        var high = grants.count
        while low < high {
            let middle = (low + high) / 2
            if grants[middle].grant.id <= id { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Something that an index forgets when nothing is left in it.
protocol GrantHolder {
    init()
    var isEmpty: Bool { get }
}

extension GrantList: GrantHolder {}

extension Dictionary where Value: GrantHolder {
    /// Changes the value in place, and drops it when nothing is left in it.
    mutating func update(_ key: Key, _ change: (inout Value) -> Void) {
        guard let index = index(forKey: key) else { return }
        change(&values[index])
        if values[index].isEmpty { remove(at: index) }
    }
}
