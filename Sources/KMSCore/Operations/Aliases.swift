public import KMSModel

// Aliases (KMS API: CreateAlias, UpdateAlias, DeleteAlias, ListAliases).
extension KeyManagementService {
    static let aliasesPerKey = 50

    /// KMS API: CreateAlias.
    public func createAlias(_ request: CreateAliasRequest, _ context: RequestContext) async throws(KMSError) {
        let name = try Self.aliasName(request.aliasName)
        let scope = context.scope
        let target = try resolve(request.targetKeyId, forms: .keys, for: .createAlias, context)
        let now = clock.now
        try await metadata.write { directory, changes throws(KMSError) in
            let key = try Self.current(target, in: directory)
            guard directory.alias(name, in: scope) == nil else { throw .aliasExists(scope.aliasARN(name)) }
            try self.checkState(.change, of: key)
            guard directory.aliases(of: key.id, in: scope).count < Self.aliasesPerKey else {
                throw .limitExceeded("A KMS key can have at most \(Self.aliasesPerKey) aliases: \(key.arn)")
            }
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
        let target = try resolve(request.targetKeyId, forms: .keys, for: .updateAlias, context)
        let now = clock.now
        try await metadata.write { directory, changes throws(KMSError) in
            let newTarget = try Self.current(target, in: directory)
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
            guard
                newTarget.id == alias.targetKeyID
                    || directory.aliases(of: newTarget.id, in: scope).count < Self.aliasesPerKey
            else { throw .limitExceeded("A KMS key can have at most \(Self.aliasesPerKey) aliases: \(newTarget.arn)") }
            alias.targetKeyID = newTarget.id
            alias.lastUpdatedDate = now
            changes.append(.putAlias(alias))
        }
    }

    /// KMS API: DeleteAlias. Works in every state of the key.
    public func deleteAlias(_ request: DeleteAliasRequest, _ context: RequestContext) async throws(KMSError) {
        let name = try Self.aliasName(request.aliasName)
        let scope = context.scope
        try await metadata.write { directory, changes throws(KMSError) in
            guard directory.alias(name, in: scope) != nil else { throw .aliasNotFound(scope.aliasARN(name)) }
            changes.append(.deleteAlias(name: name, scope: scope))
        }
    }

    /// KMS API: ListAliases.
    public func listAliases(
        _ request: ListAliasesRequest, _ context: RequestContext
    ) async throws(KMSError) -> ListAliasesResponse {
        let scope = context.scope
        let marker = try Marker.decode(request.marker)
        let key = try request.keyId.map { keyID throws(KMSError) in
            try self.resolve(keyID, forms: .keys, for: .listAliases, context)
        }
        let (aliases, isLast) = metadata.read { directory in
            let contents = directory.contents(of: scope)
            let all = contents.aliasNames.after(marker)
            let names = key.map { key in all.filter { contents.aliases[$0]?.targetKeyID == key.id }[...] } ?? all
            let page = Page(names, limit: request.limit, default: 50, maximum: 100)
            return (page.items.compactMap { contents.aliases[$0] }, page.isLast)
        }
        return ListAliasesResponse(
            aliases: aliases.map { alias in
                AliasListEntry(
                    aliasArn: Text(alias.arn), aliasName: Text(alias.name), creationDate: alias.creationDate,
                    lastUpdatedDate: alias.lastUpdatedDate, targetKeyId: Text(alias.targetKeyID))
            },
            nextMarker: isLast ? nil : aliases.last.map { Marker.encode($0.name) },
            truncated: !isLast)
    }

    /// An alias name that may be created, changed or deleted.
    ///
    /// Errors: ValidationException without the prefix, NotAuthorizedException for `alias/aws/`,
    /// InvalidAliasNameException for an empty name or a colon, which the model's pattern lets through.
    private static func aliasName(_ text: Text) throws(KMSError) -> String {
        let name = text.string
        guard name.hasPrefix("alias/") else { throw .aliasPrefix }
        guard !name.hasPrefix("alias/aws/") else { throw .aliasReserved }
        guard name.utf8.count > 6, !name.utf8.contains(UInt8(ascii: ":")) else { throw .aliasCharacters(name) }
        return name
    }
}
