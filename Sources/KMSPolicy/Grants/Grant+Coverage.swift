public import KMSModel

extension GrantOperation {
    /// Whether a grant's constraints count for it. They do for requests that carry an encryption context. CreateGrant
    /// carries none: there they limit the grants that may be made (KMS API: GrantConstraints).
    var heedsConstraints: Bool {
        switch self {
        case .describeKey, .retireGrant, .createGrant: false
        default: true
        }
    }
}

extension Grant {
    /// Whether the grant conveys the operation to its grantee; who that is, is not looked at.
    ///
    /// A request without encryption context is one with an empty encryption context. Constraints compare keys and
    /// values by case (KMS Developer Guide, "Using grant constraints"; the API reference says of the keys that they
    /// compare without, which would allow more). With both constraints in one grant, both must hold.
    public func covers(_ operation: GrantOperation, encryptionContext: [Text: Text]?) -> Bool {
        guard operations.contains(operation) else { return false }
        guard operation.heedsConstraints else { return true }
        return constraintsHold(for: encryptionContext ?? [:])
    }

    private func constraintsHold(for encryptionContext: [Text: Text]) -> Bool {
        if let encryptionContextEquals, encryptionContextEquals != encryptionContext { return false }
        if let encryptionContextSubset, !encryptionContext.contains(encryptionContextSubset) { return false }
        return true
    }

    /// Whether someone who may create grants only by this grant may create `child`: its operations are among this
    /// grant's, and its constraints let nothing through that this grant's do not (KMS Developer Guide, "Granting
    /// CreateGrant permission").
    public func contains(child: Grant) -> Bool {
        guard child.operations.allSatisfy(operations.contains) else { return false }
        if let encryptionContextEquals, child.encryptionContextEquals != encryptionContextEquals { return false }
        if let encryptionContextSubset {
            // Either constraint of the child may be the one that is at least as strict.
            let subsetIsStricter = child.encryptionContextSubset?.contains(encryptionContextSubset) ?? false
            let equalsIsStricter = child.encryptionContextEquals?.contains(encryptionContextSubset) ?? false
            guard subsetIsStricter || equalsIsStricter else { return false }
        }
        return true
    }

    /// What the form of the grantee gives the caller; nil when the grant is not to him.
    func standing(of principal: Principal) -> Standing? {
        // Of a user and a root user, both names are the same; of a session, they are session and role.
        if granteePrincipal == principal.arn { return .direct }
        if granteePrincipal == principal.identityARN { return .limited }
        // The others are those of the account.
        return principal.grantARNs.contains(granteePrincipal) ? .delegated : nil
    }
}

extension [Text: Text] {
    /// Whether it has all pairs of `other`.
    func contains(_ other: [Text: Text]) -> Bool {
        other.count <= count && other.allSatisfy { self[$0.key] == $0.value }
    }
}
