public import KMSModel
import KMSPolicy

// Listing and ending grants (KMS API: ListGrants, ListRetirableGrants, RevokeGrant, RetireGrant). All work in every key
// state.
extension KeyManagementService {
    /// KMS API: ListGrants.
    public func listGrants(
        _ request: ListGrantsRequest, _ context: RequestContext
    ) async throws(KMSError) -> ListGrantsResponse {
        let markers = marker(of: .listGrants, context)
        let marker = try markers.decode(request.marker)
        try request.grantId.map(Self.checkGrantID)
        let key = try resolve(request.keyId, forms: .keys, for: .listGrants, facts: Self.callFacts(context), context)
        let grantee = try request.granteePrincipal.map { text throws(KMSError) in
            try self.grantPrincipal(text, context)
        }
        let isForService = request.granteeServicePrincipal != nil
        let page = metadata.read { directory in
            let grants = directory.grants(on: key.id, in: key.scope)
            let ids: ArraySlice<String>
            if isForService {
                ids = []  // No grant here is for an AWS service.
            } else if let id = request.grantId?.string {
                ids = grants.grant(id).map { [$0.id] } ?? []
            } else if let grantee {
                ids = grants.ids(grantedTo: grantee, after: marker, limit: Self.maximumGrantPage + 1)[...]
            } else {
                ids = grants.ids(after: marker, limit: Self.maximumGrantPage + 1)[...]
            }
            let rest = marker.map { marker in ids.drop { $0 <= marker } } ?? ids
            let page = Page(rest, limit: request.limit, default: 50, maximum: Self.maximumGrantPage)
            return (page.items.compactMap { grants.grant($0) }, page.isLast)
        }
        let entries = page.0.filter { grantee == nil || $0.granteePrincipal == grantee }
        return ListGrantsResponse(
            grants: entries.map { Self.listEntry(KeyGrant(scope: key.scope, keyID: key.id, grant: $0)) },
            nextMarker: try markers.encode(page.0.last?.id, isLast: page.1),
            truncated: !page.1)
    }

    /// KMS API: ListRetirableGrants. Over all keys and accounts, of this Region.
    public func listRetirableGrants(
        _ request: ListRetirableGrantsRequest, _ context: RequestContext
    ) async throws(KMSError) -> ListGrantsResponse {
        let markers = marker(of: .listRetirableGrants, context)
        let marker = try markers.decode(request.marker)
        guard request.retiringServicePrincipal == nil else {
            throw .unsupportedOperation("No AWS service can call this server. Use RetiringPrincipal.")
        }
        guard let retiringPrincipal = request.retiringPrincipal else { throw .missing("retiringPrincipal") }
        let principal = try grantPrincipal(retiringPrincipal, context)
        let action = KeyAction.of(.listRetirableGrants)
        // KMS API: "You must specify a principal in your account."
        guard ARNText.accountID(of: principal) == context.caller.accountID else {
            throw .accessDenied(context.caller.arn, action.action, on: principal.string, .notAcrossAccounts)
        }
        try authorize(action, on: principal.string, context)
        let page = metadata.read { directory in
            let places = directory.grants(retiredBy: principal, region: context.region, after: marker)
            let page = Page(places, limit: request.limit, default: 50, maximum: Self.maximumGrantPage)
            return (page, page.items.compactMap { directory.grant(at: $0, region: context.region) })
        }
        return ListGrantsResponse(
            grants: page.1.map(Self.listEntry),
            nextMarker: try markers.encode(page.0.items.last, isLast: page.0.isLast),
            truncated: !page.0.isLast)
    }

    /// KMS API: RevokeGrant.
    public func revokeGrant(_ request: RevokeGrantRequest, _ context: RequestContext) async throws(KMSError) {
        try Self.checkGrantID(request.grantId)
        let id = request.grantId.string
        let isDryRun = request.dryRun == true
        try await change(request.keyId, for: .revokeGrant, facts: Self.callFacts(context), context) {
            key, directory, changes throws(KMSError) in
            guard directory.grant(id, on: key.id, in: key.scope) != nil else { throw .grantNotFound(id) }
            if isDryRun { throw .dryRunSucceeded }
            changes.append(.deleteGrant(id: id, keyID: key.id, scope: key.scope))
        }
    }

    /// KMS API: RetireGrant. The grant is named by its token, or by key and id.
    public func retireGrant(_ request: RetireGrantRequest, _ context: RequestContext) async throws(KMSError) {
        let grant = try grantToRetire(request, context)
        context.trail.note(grantID: grant.grant.id)
        let isDryRun = request.dryRun == true
        try await change { directory in
            [directory.targetForRetirement(of: grant, context)]
        } authorizing: { targets throws(KMSError) in
            for target in targets { try self.authorize(.of(.retireGrant), target, .none, context) }
        } _: { directory, changes throws(KMSError) in
            let id = grant.grant.id
            guard directory.grant(id, on: grant.keyID, in: grant.scope) != nil else { throw .grantNotFound(id) }
            if isDryRun { throw .dryRunSucceeded }
            changes.append(.deleteGrant(id: id, keyID: grant.keyID, scope: grant.scope))
        }
    }

    // MARK: Parts

    private static let maximumGrantPage = 100

    private static func callFacts(_ context: RequestContext) -> RequestFacts {
        RequestFacts().with(.grantIsForAWSResource, context.caller.viaService != nil)
    }

    private static func checkGrantID(_ id: Text) throws(KMSError) {
        let isValid =
            id.utf8.count == 64
            && id.utf8.allSatisfy {
                UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
            }
        guard isValid else { throw .invalidGrantID(id.string) }
    }

    private func grantToRetire(
        _ request: RetireGrantRequest, _ context: RequestContext
    ) throws(KMSError) -> KeyGrant {
        switch (request.grantToken, request.keyId, request.grantId) {
        case (let token?, nil, nil):
            return try grant(token, context)
        case (nil, let keyID?, let grantID?):
            try Self.checkGrantID(grantID)
            let owner: Scope
            let id: String
            switch try Self.identifier(keyID, .keys, context) {
            case .keyID(let keyID): (owner, id) = (context.scope, keyID)
            case .keyARN(let scope, let keyID): (owner, id) = (scope, keyID)
            case .aliasName, .aliasARN: throw .invalidKeyID(keyID.string)
            }
            // The same answer whether the key or the grant is not there: key ids of other accounts are not told.
            guard let grant = metadata.read({ $0.grant(grantID.string, on: id, in: owner) }) else {
                throw .grantNotFound(grantID.string)
            }
            return KeyGrant(scope: owner, keyID: id, grant: grant)
        default:
            throw .validation("You must specify either GrantToken, or both KeyId and GrantId.")
        }
    }

    /// KMS API: GrantListEntry. An absent name is an empty one.
    private static func listEntry(_ grant: KeyGrant) -> GrantListEntry {
        let (keyARN, grant) = (grant.scope.keyARN(grant.keyID), grant.grant)
        let isConstrained = grant.encryptionContextEquals != nil || grant.encryptionContextSubset != nil
        return GrantListEntry(
            constraints: isConstrained
                ? GrantConstraints(
                    encryptionContextEquals: grant.encryptionContextEquals,
                    encryptionContextSubset: grant.encryptionContextSubset) : nil,
            creationDate: grant.creationDate, grantId: Text(grant.id), granteePrincipal: grant.granteePrincipal,
            issuingAccount: grant.issuingAccount, keyId: Text(keyARN), name: grant.name ?? "",
            operations: grant.operations, retiringPrincipal: grant.retiringPrincipal)
    }
}

extension Directory {
    /// May retire: the retiring principal, the grantee if the grant says so, and the account that created the grant;
    /// accounts by whom their IAM policies let. A key policy cannot give this right, but it can deny it
    /// (KMS Developer Guide, "Retiring and revoking grants").
    fileprivate func targetForRetirement(of grant: KeyGrant, _ context: RequestContext) -> KeyTarget {
        var target = target(keyID: grant.keyID, in: grant.scope, .of(.retireGrant), .none, caller: context.caller)
        if case .document(let document) = target.policy { target.policy = .document(document.onlyDenying) }
        target.grants = [grant.grant, grant.grant.retiring(by: grant.grant.issuingAccount)]
        if let principal = grant.grant.retiringPrincipal { target.grants.append(grant.grant.retiring(by: principal)) }
        return target
    }
}

extension Grant {
    /// The right to retire this grant, written as a grant, so that one function decides on all rights.
    fileprivate func retiring(by principal: Text) -> Grant {
        Grant(
            id: id, name: nil, granteePrincipal: principal, retiringPrincipal: nil, operations: [.retireGrant],
            encryptionContextEquals: nil, encryptionContextSubset: nil, issuingAccount: issuingAccount,
            creationDate: creationDate)
    }
}

extension PolicyDocument {
    /// What this policy denies, without what it allows.
    fileprivate var onlyDenying: PolicyDocument {
        PolicyDocument(version: version, statements: statements.filter { $0.effect == .deny })
    }
}
