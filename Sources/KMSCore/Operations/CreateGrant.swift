public import KMSModel
import KMSPolicy

extension KeyManagementService {
    /// KMS API: CreateGrant. A grant is in force when this has answered.
    public func createGrant(
        _ request: CreateGrantRequest, _ context: RequestContext
    ) async throws(KMSError) -> CreateGrantResponse {
        let grant = try newGrant(request, context)
        try check(grantTokens: request.grantTokens, context)
        let facts = Self.facts(of: grant, context)
        let identifier = try Self.identifier(request.keyId, .keys, context)
        let look: @Sendable (borrowing Directory) -> [KeyTarget] = { directory in
            [directory.targetForGrant(grant, identifier, context)]
        }
        let stored = try await change(look) { targets throws(KMSError) in
            for target in targets { try self.authorize(.of(.createGrant), target, facts, context) }
            // Who exists is not told to those who may make no grant.
            try self.checkPrincipals(of: grant)
        } _: { directory, changes throws(KMSError) -> KeyGrant in
            guard let target = look(directory).first else { throw .internalError }
            guard let key = target.key else { throw .keyNotFound(target.arn) }
            try self.checkState(.grant, of: key)
            try Self.check(grant, fits: key)
            if request.dryRun == true { throw .dryRunSucceeded }
            let grants = directory.grants(on: key.id, in: key.scope)
            // KMS API: the same name and the same parameters mean the same grant.
            if let name = grant.name, let same = grants.first(named: name, where: { $0.isSame(as: grant) }) {
                return KeyGrant(scope: key.scope, keyID: key.id, grant: same)
            }
            let limit = self.configuration.quotas.grantsPerKey
            guard grants.count < limit else {
                throw .limitExceeded("A KMS key can have at most \(limit) grants: \(key.arn)")
            }
            let new = KeyGrant(scope: key.scope, keyID: key.id, grant: grant)
            changes.append(.putGrant(new))
            return new
        }
        let token = GrantToken(scope: stored.scope, keyID: stored.keyID, grantID: stored.grant.id)
        return CreateGrantResponse(grantId: Text(stored.grant.id), grantToken: try token.text(serverSecret))
    }

    /// The grant that a request describes.
    private func newGrant(
        _ request: CreateGrantRequest, _ context: RequestContext
    ) throws(KMSError) -> Grant {
        guard request.granteeServicePrincipal == nil, request.retiringServicePrincipal == nil else {
            throw .unsupportedOperation(
                "Grants to AWS services are not supported: no AWS service can call this server. Use GranteePrincipal.")
        }
        guard let grantee = request.granteePrincipal else { throw .missing("granteePrincipal") }
        guard request.constraints?.sourceArn == nil else {
            throw .unsupportedOperation("The grant constraint SourceArn is only for grants to AWS services.")
        }
        // AWS's texts, as its users quote them.
        guard request.constraints?.encryptionContextEquals == nil || request.constraints?.encryptionContextSubset == nil
        else { throw .validation("More than one constraint supplied") }
        try Self.checkSize(of: request.constraints?.encryptionContextEquals, "EncryptionContextEquals")
        try Self.checkSize(of: request.constraints?.encryptionContextSubset, "EncryptionContextSubset")
        guard !request.operations.isEmpty else { throw .validation("Operations must name at least one operation.") }
        var operations: [GrantOperation] = []
        for operation in request.operations where !operations.contains(operation) { operations.append(operation) }
        guard operations != [.createGrant] else {
            throw .validation("Grants must not contain only the CreateGrant operation.")
        }
        let partition = context.caller.partition
        return Grant(
            id: Self.randomHexadecimal(64), name: request.name, granteePrincipal: try grantPrincipal(grantee, context),
            retiringPrincipal: try request.retiringPrincipal.map { text throws(KMSError) in
                try self.grantPrincipal(text, context)
            },
            operations: operations,
            encryptionContextEquals: Self.constraint(request.constraints?.encryptionContextEquals),
            encryptionContextSubset: Self.constraint(request.constraints?.encryptionContextSubset),
            issuingAccount: Text("arn:\(partition):iam::\(context.caller.accountID):root"), creationDate: clock.now)
    }

    /// An empty map is the same as none, as everywhere in the API: it constrains nothing, and must not pass for a
    /// constraint where a policy demands one.
    private static func constraint(_ pairs: [Text: Text]?) -> [Text: Text]? { pairs?.isEmpty == true ? nil : pairs }

    /// KMS API: GrantConstraints. "Each constraint value can include up to 8 encryption context pairs. The encryption
    /// context value in each constraint cannot exceed 384 characters."
    private static func checkSize(of constraint: [Text: Text]?, _ name: String) throws(KMSError) {
        guard let constraint else { return }
        guard constraint.count <= 8 else {
            throw .validation("\(name) has \(constraint.count) pairs; a grant constraint can have at most 8.")
        }
        guard constraint.values.allSatisfy({ $0.scalarCount <= 384 }) else {
            throw .validation("A value of \(name) has more than 384 characters, which is the most that it can have.")
        }
    }

    /// A grant is made only to somebody who exists. Lists also find the grants of those who are gone.
    private func checkPrincipals(of grant: Grant) throws(KMSError) {
        for arn in [grant.granteePrincipal, grant.retiringPrincipal].compactMap(\.self) {
            guard let principal = try? PrincipalPattern(arnOrID: arn), principal.exists(in: principals()) else {
                throw .invalidPrincipalARN
            }
        }
    }

    /// The ARN of a principal that may be in a grant: an account's root, a user, a role or a session.
    ///
    /// Errors: InvalidArnException.
    func grantPrincipal(_ text: Text, _ context: RequestContext) throws(KMSError) -> Text {
        guard let principal = try? PrincipalPattern(arnOrID: text) else { throw .invalidPrincipalARN }
        switch principal {
        case .account(let id): return Text("arn:\(context.caller.partition):iam::\(id):root")
        case .user(let arn), .role(let arn), .roleSession(let arn): return arn
        case .everyone, .federatedUser, .uniqueID, .service, .federated: throw .invalidPrincipalARN
        }
    }

    private static func facts(of grant: Grant, _ context: RequestContext) -> RequestFacts {
        var types: [Text] = []
        if grant.encryptionContextEquals != nil { types.append("EncryptionContextEquals") }
        if grant.encryptionContextSubset != nil { types.append("EncryptionContextSubset") }
        // Conditions on the encryption context look at the constraints here: they are the context that the grant is
        // for.
        let encryptionContext = grant.encryptionContextEquals ?? grant.encryptionContextSubset
        return RequestFacts(encryptionContext: encryptionContext)
            .with(.grantOperations, .multiple(grant.operations.map { Text($0.rawValue) }))
            .with(.granteePrincipal, grant.granteePrincipal)
            .with(.retiringPrincipal, grant.retiringPrincipal)
            .with(.grantIsForAWSResource, context.caller.viaService != nil)
            .withConstraintTypes(types)
    }

    /// Errors: ValidationException for an operation that keys of this kind have not, and for constraints on a key that
    /// has no encryption context.
    private static func check(_ grant: Grant, fits key: KMSKey) throws(KMSError) {
        let valid = GrantRules.validOperations(for: key.keySpec, usage: key.keyUsage)
        if let wrong = grant.operations.first(where: { !valid.contains($0) }) {
            throw .validation(
                "The operation \(wrong.rawValue) is not valid for a KMS key with key spec \(key.keySpec.rawValue) and "
                    + "key usage \(key.keyUsage.rawValue).")
        }
        let isConstrained = grant.encryptionContextEquals != nil || grant.encryptionContextSubset != nil
        guard !isConstrained || KeySpecRules.isSymmetricEncryption(key.keySpec) else {
            throw .validation(
                "Encryption context constraints are valid only for symmetric encryption KMS keys, and \(key.arn) has "
                    + "key spec \(key.keySpec.rawValue).")
        }
    }
}

extension Directory {
    /// The key of a new grant. A right to create grants that comes from a grant only reaches as far as that grant; one
    /// that comes from a policy has no such limit (KMS Developer Guide, "Granting CreateGrant permission").
    fileprivate func targetForGrant(
        _ grant: Grant, _ identifier: KeyIdentifier, _ context: RequestContext
    ) -> KeyTarget {
        var target = target(identifier, in: context.scope, .of(.createGrant), .none, caller: context.caller)
        if let key = target.key {
            target.grants = grants(on: key.id, in: key.scope).parents(of: grant, for: context.caller)
        }
        return target
    }
}

extension RequestFacts {
    fileprivate func withConstraintTypes(_ types: [Text]) -> RequestFacts {
        switch types.count {
        case 0: self
        case 1: with(.grantConstraintType, types.first)
        default: with(.grantConstraintType, .multiple(types))
        }
    }
}

extension Grant {
    /// Everything but identity and date.
    fileprivate func isSame(as other: Grant) -> Bool {
        name == other.name && granteePrincipal == other.granteePrincipal && retiringPrincipal == other.retiringPrincipal
            && Set(operations) == Set(other.operations) && encryptionContextEquals == other.encryptionContextEquals
            && encryptionContextSubset == other.encryptionContextSubset && issuingAccount == other.issuingAccount
    }
}
