internal import GRDB
internal import KMSCore
internal import KMSModel
internal import KMSPolicy

extension KeyGrant {
    func put(into database: Database) throws {
        try database.run(
            """
            INSERT INTO grants (account_id, region, key_id, id, name, grantee_principal, retiring_principal,
                operations, constraints, issuing_account, creation_date)
            VALUES (:account_id, :region, :key_id, :id, CAST(:name AS TEXT), CAST(:grantee_principal AS TEXT),
                CAST(:retiring_principal AS TEXT), :operations, CAST(:constraints AS TEXT),
                CAST(:issuing_account AS TEXT), :creation_date)
            ON CONFLICT (account_id, region, key_id, id) DO UPDATE SET version = version + 1,
                name = excluded.name, grantee_principal = excluded.grantee_principal,
                retiring_principal = excluded.retiring_principal, operations = excluded.operations,
                constraints = excluded.constraints, issuing_account = excluded.issuing_account,
                creation_date = excluded.creation_date
            """,
            scope.columns + [
                "key_id": keyID,
                "id": grant.id,
                "name": grant.name?.utf8Data,
                "grantee_principal": grant.granteePrincipal.utf8Data,
                "retiring_principal": grant.retiringPrincipal?.utf8Data,
                "operations": grant.operations.map(\.rawValue).joined(separator: Self.operationSeparator),
                "constraints": GrantConstraintColumn.encode(grant),
                "issuing_account": grant.issuingAccount.utf8Data,
                "creation_date": grant.creationDate.secondsSinceEpoch,
            ]
        )
    }

    static func delete(_ id: String, ofKey keyID: String, _ scope: Scope, from database: Database) throws {
        try database.run(
            """
            DELETE FROM grants
            WHERE account_id = :account_id AND region = :region AND key_id = :key_id AND id = :id
            """,
            scope.columns + ["key_id": keyID, "id": id]
        )
    }

    static func all(in database: Database) throws -> [KeyGrant] {
        var grants: [KeyGrant] = []
        try database.forEachRow(
            of: "grants",
            """
            SELECT account_id, region, key_id, id, CAST(name AS BLOB) AS name,
                CAST(grantee_principal AS BLOB) AS grantee_principal,
                CAST(retiring_principal AS BLOB) AS retiring_principal, operations,
                CAST(constraints AS BLOB) AS constraints, CAST(issuing_account AS BLOB) AS issuing_account,
                creation_date
            FROM grants ORDER BY account_id, region, key_id, id
            """
        ) { row in grants.append(try KeyGrant(row)) }
        return grants
    }

    private init(_ row: StoredRow) throws(MetadataStoreError) {
        let constraints = try GrantConstraintColumn(row)
        self.init(
            scope: try row.scope(),
            keyID: try row.string("key_id"),
            grant: Grant(
                id: try row.string("id"),
                name: try row.optionalText("name"),
                granteePrincipal: try row.text("grantee_principal"),
                retiringPrincipal: try row.optionalText("retiring_principal"),
                operations: try Self.operations(row),
                encryptionContextEquals: constraints.equals,
                encryptionContextSubset: constraints.subset,
                issuingAccount: try row.text("issuing_account"),
                creationDate: try row.timestamp("creation_date")
            )
        )
    }

    /// The names of the operations hold letters only.
    private static let operationSeparator = " "

    private static func operations(_ row: StoredRow) throws(MetadataStoreError) -> [GrantOperation] {
        var operations: [GrantOperation] = []
        for name in try row.string("operations").split(separator: operationSeparator, omittingEmptySubsequences: false)
        {
            guard let operation = GrantOperation(rawValue: String(name)) else {
                throw row.unknown("operations", String(name))
            }
            operations.append(operation)
        }
        return operations
    }
}
