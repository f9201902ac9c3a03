public import KMSModel
import KMSPolicy

// Aliases (KMS API: CreateAlias, UpdateAlias, DeleteAlias, ListAliases).
extension KeyManagementService {
    /// KMS API: CreateAlias.
    public func createAlias(_ request: CreateAliasRequest, _ context: RequestContext) async throws(KMSError) {
        let name = try Self.aliasName(request.aliasName)
        let scope = context.scope
        context.trail.note(aliasARN: scope.aliasARN(name))
        try authorize(.of(.createAlias), on: scope.aliasARN(name), context)
        let now = clock.now
        try await change(request.targetKeyId, for: .createAlias, context) { key, directory, changes throws(KMSError) in
            guard directory.alias(name, in: scope) == nil else { throw .aliasExists(scope.aliasARN(name)) }
            try self.checkState(.change, of: key)
            try self.checkRoomForAlias(of: key, in: directory)
            changes.append(
                .putAlias(
                    Alias(
                        scope: scope, name: name, targetKeyID: key.id, creationDate: now, lastUpdatedDate: now)))
        }
    }

    /// KMS API: UpdateAlias. The new target must be of the same kind and usage as the old one.
    public func updateAlias(_ request: UpdateAliasRequest, _ context: RequestContext) async throws(KMSError) {
        let name = try Self.aliasName(request.aliasName)
        let scope = context.scope
        context.trail.note(aliasARN: scope.aliasARN(name))
        try authorize(.of(.updateAlias), on: scope.aliasARN(name), context)
        let look = try lookAtAlias(name, newTarget: request.targetKeyId, .updateAlias, context)
        let now = clock.now
        try await change(look) { targets throws(KMSError) in
            try self.authorizeAlias(targets, .updateAlias, context)
        } _: { directory, changes throws(KMSError) in
            guard let newTarget = look(directory).last?.key else { throw .internalError }
            guard var alias = directory.alias(name, in: scope) else { throw .aliasNotFound(scope.aliasARN(name)) }
            // An old target that is pending deletion does not matter, a new one does.
            try self.checkState(.change, of: newTarget)
            if let oldTarget = directory.key(alias.targetKeyID, in: scope) {
                guard oldTarget.keyUsage == newTarget.keyUsage,
                    KeySpecRules.isSymmetricEncryption(oldTarget.keySpec)
                        == KeySpecRules.isSymmetricEncryption(newTarget.keySpec)
                else {
                    throw .validation(
                        "Alias \(alias.arn) cannot be changed from a key of usage \(oldTarget.keyUsage.rawValue) to "
                            + "one of usage \(newTarget.keyUsage.rawValue): both must be of the same type and usage.")
                }
            }
            if newTarget.id != alias.targetKeyID { try self.checkRoomForAlias(of: newTarget, in: directory) }
            alias.targetKeyID = newTarget.id
            alias.lastUpdatedDate = now
            changes.append(.putAlias(alias))
        }
    }

    /// KMS API: DeleteAlias. Works in every state of the key.
    public func deleteAlias(_ request: DeleteAliasRequest, _ context: RequestContext) async throws(KMSError) {
        let name = try Self.aliasName(request.aliasName)
        let scope = context.scope
        context.trail.note(aliasARN: scope.aliasARN(name))
        try authorize(.of(.deleteAlias), on: scope.aliasARN(name), context)
        let look = try lookAtAlias(name, newTarget: nil, .deleteAlias, context)
        try await change(look) { targets throws(KMSError) in
            try self.authorizeAlias(targets, .deleteAlias, context)
        } _: { _, changes throws(KMSError) in
            changes.append(.deleteAlias(name: name, scope: scope))
        }
    }

    /// KMS API: ListAliases.
    public func listAliases(
        _ request: ListAliasesRequest, _ context: RequestContext
    ) async throws(KMSError) -> ListAliasesResponse {
        let scope = context.scope
        let markers = marker(of: .listAliases, context)
        let marker = try markers.decode(request.marker)
        try authorize(.listAliases, context)
        let key = try request.keyId.map { keyID throws(KMSError) in try self.ownKey(keyID, context) }
        let (aliases, isLast) = metadata.read { directory in
            let contents = directory.contents(of: scope)
            let names = key.map { directory.aliasNames(of: $0, in: scope) } ?? contents.aliasNames
            let page = Page(names.after(marker), limit: request.limit, default: 50, maximum: 100)
            return (page.items.compactMap { contents.aliases[$0] }, page.isLast)
        }
        return ListAliasesResponse(
            aliases: aliases.map { alias in
                AliasListEntry(
                    aliasArn: Text(alias.arn), aliasName: Text(alias.name), creationDate: alias.creationDate,
                    lastUpdatedDate: alias.lastUpdatedDate, targetKeyId: Text(alias.targetKeyID))
            },
            nextMarker: try markers.encode(aliases.last?.name, isLast: isLast),
            truncated: !isLast)
    }

    private func checkRoomForAlias(of key: KMSKey, in directory: borrowing Directory) throws(KMSError) {
        let limit = configuration.quotas.aliasesPerKey
        guard directory.aliasNames(of: key.id, in: key.scope).count < limit else {
            throw .limitExceeded("A KMS key can have at most \(limit) aliases: \(key.arn)")
        }
    }

    /// The key that an alias points at, and the one that it shall point at.
    private func lookAtAlias(
        _ name: String, newTarget: Text?, _ operation: KMSOperation, _ context: RequestContext
    ) throws(KMSError) -> @Sendable (borrowing Directory) -> [KeyTarget] {
        let action = KeyAction.of(operation)
        var identifiers = [KeyIdentifier.aliasName(name)]
        if let newTarget { identifiers.append(try Self.identifier(newTarget, .keys, context)) }
        let fixed = identifiers
        return { directory in
            var targets: [KeyTarget] = []
            for identifier in fixed {
                targets.append(
                    directory.target(identifier, in: context.scope, action, .none, caller: context.caller))
            }
            // The request names the alias to change it; it uses no key through it.
            targets[0].requestAlias = nil
            return targets
        }
    }

    /// Changing an alias needs the permission on the alias, which identity policies alone give, and on every key that
    /// it points at before and after.
    private func authorizeAlias(
        _ targets: [KeyTarget], _ operation: KMSOperation, _ context: RequestContext
    ) throws(KMSError) {
        for target in targets {
            guard !target.isMissingAlias else { throw .aliasNotFound(target.arn) }
            try authorize(KeyAction.of(operation), target, .none, context)
            guard target.key != nil else { throw .keyNotFound(target.arn) }
        }
    }

    /// The id of a key of the caller's own account, for listings: the permission is on the listing, not on the key.
    private func ownKey(_ identifier: Text, _ context: RequestContext) throws(KMSError) -> String {
        switch try Self.identifier(identifier, .keys, context) {
        case .keyID(let id), .keyARN(context.scope, let id):
            guard metadata.read({ $0.key(id, in: context.scope) }) != nil else {
                throw .keyNotFound(context.scope.keyARN(id))
            }
            return id
        case .keyARN(let owner, let id):
            throw .accessDenied(
                context.caller.arn, KeyAction.of(.listAliases).action, on: owner.keyARN(id), .notAcrossAccounts)
        case .aliasName, .aliasARN: throw .invalidKeyID(identifier.string)
        }
    }

    /// An alias name that may be created, changed or deleted.
    ///
    /// Errors: ValidationException without the prefix, NotAuthorizedException for `alias/aws/`,
    /// InvalidAliasNameException for an empty name or a colon, which the model's pattern lets through.
    static func aliasName(_ text: Text) throws(KMSError) -> String {
        let name = text.string
        guard name.hasPrefix("alias/") else { throw .aliasPrefix }
        guard !name.hasPrefix("alias/aws/") else { throw .aliasReserved }
        guard name.utf8.count > 6, !name.utf8.contains(UInt8(ascii: ":")) else { throw .aliasCharacters(name) }
        return name
    }
}
