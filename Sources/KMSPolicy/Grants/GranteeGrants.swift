internal import KMSModel

/// The grants of one key to one grantee.
struct GranteeGrants: Sendable, GrantHolder {
    private(set) var all = GrantList()
    private(set) var byOperation: [GrantOperation: OperationGrants] = [:]

    var isEmpty: Bool { all.isEmpty }

    mutating func insert(_ grant: IndexedGrant) {
        all.insert(grant)
        for operation in grant.grant.operations {
            byOperation[operation, default: OperationGrants()].insert(grant, for: operation)
        }
    }

    mutating func remove(_ grant: IndexedGrant) {
        all.remove(grant)
        for operation in grant.grant.operations {
            byOperation.update(operation) { $0.remove(grant, for: operation) }
        }
    }
}

/// The grants of one key to one grantee that convey one operation, by their constraints. All grants of one list are
/// equal for requests.
struct OperationGrants: Sendable, GrantHolder {
    private struct Pair: Hashable {
        let key: Text
        let value: Text
    }

    /// Grants that share a pair, by their whole constraint.
    private struct Sharing: Sendable, GrantHolder {
        var byConstraint: [[Text: Text]: GrantList] = [:]

        var isEmpty: Bool { byConstraint.isEmpty }
    }

    private var unconstrained = GrantList()
    private var byEquals: [[Text: Text]: GrantList] = [:]
    /// Each constraint stands under one of its pairs: that under which fewest stood when it came.
    private var byPair: [Pair: Sharing] = [:]

    var isEmpty: Bool { unconstrained.isEmpty && byEquals.isEmpty && byPair.isEmpty }

    private enum Place {
        case unconstrained
        case equals([Text: Text])
        case subset([Text: Text])
        /// No request fulfils both constraints.
        case nowhere
    }

    private static func place(of grant: Grant, for operation: GrantOperation) -> Place {
        // Whether constraints count for the request itself does not matter for CreateGrant: they count for the child.
        guard operation.heedsConstraints || operation == .createGrant else { return .unconstrained }
        if let equals = grant.encryptionContextEquals {
            if operation.heedsConstraints, let subset = grant.encryptionContextSubset, !equals.contains(subset) {
                return .nowhere
            }
            return .equals(equals)
        }
        guard let subset = grant.encryptionContextSubset, !subset.isEmpty else { return .unconstrained }
        return .subset(subset)
    }

    mutating func insert(_ grant: IndexedGrant, for operation: GrantOperation) {
        switch Self.place(of: grant.grant, for: operation) {
        case .unconstrained: unconstrained.insert(grant)
        case .equals(let constraint): byEquals[constraint, default: GrantList()].insert(grant)
        case .subset(let constraint):
            let pair = pair(holding: constraint) ?? rarestPair(of: constraint)
            byPair[pair, default: Sharing()].byConstraint[constraint, default: GrantList()].insert(grant)
        case .nowhere: break
        }
    }

    mutating func remove(_ grant: IndexedGrant, for operation: GrantOperation) {
        switch Self.place(of: grant.grant, for: operation) {
        case .unconstrained: unconstrained.remove(grant)
        case .equals(let constraint): byEquals.update(constraint) { $0.remove(grant) }
        case .subset(let constraint):
            guard let pair = pair(holding: constraint) else { return }
            byPair.update(pair) { sharing in sharing.byConstraint.update(constraint) { $0.remove(grant) } }
        case .nowhere: break
        }
    }

    private func pair(holding constraint: [Text: Text]) -> Pair? {
        for (key, value) in constraint {
            let pair = Pair(key: key, value: value)
            if byPair[pair]?.byConstraint[constraint] != nil { return pair }
        }
        return nil
    }

    private func rarestPair(of constraint: [Text: Text]) -> Pair {
        var rarest = Pair(key: "", value: "")
        var fewest = Int.max
        for (key, value) in constraint {
            let pair = Pair(key: key, value: value)
            let count = byPair[pair]?.byConstraint.count ?? 0
            if count < fewest { (rarest, fewest) = (pair, count) }
        }
        return rarest
    }

    /// Gives the first grant of every list whose constraints an encryption context fulfils.
    func forEachRepresentative(_ encryptionContext: [Text: Text], _ body: (IndexedGrant) -> Void) {
        if let grant = unconstrained.grants.first { body(grant) }
        if !byEquals.isEmpty, let grant = byEquals[encryptionContext]?.grants.first { body(grant) }
        forEachSubsetList(within: encryptionContext) { list in
            if let grant = list.grants.first { body(grant) }
        }
    }

    /// Gives the lists of which at least one grant's constraints are no stricter than the child's.
    func forEachList(containing child: Grant, _ body: (GrantList) -> Void) {
        body(unconstrained)
        if let equals = child.encryptionContextEquals {
            if let list = byEquals[equals] { body(list) }
            forEachSubsetList(within: equals, body)
        }
        if let subset = child.encryptionContextSubset {
            forEachSubsetList(within: subset, body)
        }
    }

    private func forEachSubsetList(within encryptionContext: [Text: Text], _ body: (GrantList) -> Void) {
        guard !byPair.isEmpty else { return }
        for (key, value) in encryptionContext {
            guard let sharing = byPair[Pair(key: key, value: value)] else { continue }
            for (constraint, list) in sharing.byConstraint where encryptionContext.contains(constraint) { body(list) }
        }
    }

    /// Gives every grant.
    func forEach(_ body: (IndexedGrant) -> Void) {
        unconstrained.grants.forEach(body)
        for list in byEquals.values { list.grants.forEach(body) }
        for sharing in byPair.values {
            for list in sharing.byConstraint.values { list.grants.forEach(body) }
        }
    }
}
