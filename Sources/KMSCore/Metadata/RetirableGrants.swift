import KMSModel
import KMSPolicy

/// Which grants a principal may retire, over all keys and accounts of a Region (KMS API: ListRetirableGrants).
struct RetirableGrants: Sendable {
    private struct Principal: Hashable {
        let region: String
        let arn: Text
    }

    private var placesByPrincipal: [Principal: SortedNames] = [:]

    mutating func insert(_ grant: KeyGrant) {
        guard let principal = Self.principal(of: grant) else { return }
        placesByPrincipal[principal, default: SortedNames()].insert(Self.place(of: grant))
    }

    mutating func remove(_ grant: KeyGrant) {
        guard let principal = Self.principal(of: grant) else { return }
        placesByPrincipal[principal]?.remove(Self.place(of: grant))
        if placesByPrincipal[principal]?.all.isEmpty == true { placesByPrincipal[principal] = nil }
    }

    /// Removes all grants of a key, which had these retiring principals.
    mutating func removeAll(of keyID: String, in scope: Scope, retiredBy principals: Set<Text>) {
        for arn in principals {
            let principal = Principal(region: scope.region, arn: arn)
            placesByPrincipal[principal]?.removeAll(withPrefix: "\(scope.accountID)/\(keyID)/")
            if placesByPrincipal[principal]?.all.isEmpty == true { placesByPrincipal[principal] = nil }
        }
    }

    func places(_ principal: Text, region: String, after marker: String?) -> ArraySlice<String> {
        placesByPrincipal[Principal(region: region, arn: principal)]?.after(marker) ?? []
    }

    /// `account/key id/grant id`.
    static func place(of grant: KeyGrant) -> String {
        "\(grant.scope.accountID)/\(grant.keyID)/\(grant.grant.id)"
    }

    static func parts(of place: String, region: String) -> (Scope, keyID: String, grantID: String)? {
        let parts = place.split(separator: "/").map(String.init)
        guard parts.count == 3 else { return nil }
        return (Scope(accountID: parts[0], region: region), parts[1], parts[2])
    }

    private static func principal(of grant: KeyGrant) -> Principal? {
        grant.grant.retiringPrincipal.map { Principal(region: grant.scope.region, arn: $0) }
    }
}
