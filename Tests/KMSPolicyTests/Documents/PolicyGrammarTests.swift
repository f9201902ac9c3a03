import KMSModel
import KMSPolicy
import Testing

/// What each kind of policy takes, and what it then means.
@Suite struct PolicyGrammarTests {
    private func statement(_ json: String, _ kind: PolicyDocument.Kind = .keyPolicy) throws -> Statement {
        let document = try PolicyDocument(parsing: Text(#"{"Version":"2012-10-17","Statement":\#(json)}"#), as: kind)
        return try #require(document.statements.first)
    }

    @Test func `The default key policy is read`() throws {
        let document = try PolicyDocument(parsing: Examples.defaultKeyPolicy, as: .keyPolicy)
        #expect(document.version == .version2012)
        #expect(
            document.statements == [
                Statement(
                    sid: "Enable IAM User Permissions", effect: .allow,
                    principals: .these([.account(id: "111122223333")]), actions: .these([Glob("kms:*")]),
                    resources: .these([try TextPattern("*", version: .version2012)]), conditions: [])
            ])
    }

    @Test(arguments: Examples.keyPolicies.indices)
    func `Documented key policies are read`(_ index: Int) throws {
        let text = Examples.keyPolicies[index]
        #expect(try !PolicyDocument(parsing: text, as: .keyPolicy).statements.isEmpty)
    }

    @Test(arguments: Examples.identityPolicies.indices)
    func `Documented identity policies are read`(_ index: Int) throws {
        let text = Examples.identityPolicies[index]
        let document = try PolicyDocument(parsing: text, as: .identityPolicy)
        #expect(document.statements.allSatisfy { $0.principals == .whoeverItIsAttachedTo })
    }

    @Test(arguments: Examples.trustPolicies.indices)
    func `Documented trust policies are read`(_ index: Int) throws {
        let text = Examples.trustPolicies[index]
        let document = try PolicyDocument(parsing: text, as: .trustPolicy)
        #expect(document.statements.allSatisfy { $0.resources == .whatItIsAttachedTo })
    }

    @Test func `A policy without Version is of the older one`() throws {
        let text: Text = #"{"Statement":{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}}"#
        #expect(try PolicyDocument(parsing: text, as: .keyPolicy).version == .version2008)
    }

    @Test func `A statement may stand without an array`() throws {
        let statement = try statement(#"{"Effect":"Deny","Principal":"*","Action":"kms:*","Resource":"*"}"#)
        #expect(statement.effect == .deny)
        #expect(statement.sid == nil)
        #expect(statement.principals == .these([.everyone]))
    }

    @Test func `Statements keep their order, and elements may have any`() throws {
        let document = try PolicyDocument(
            parsing: """
                {"Statement":[
                 {"Resource":"*","Action":"kms:Encrypt","Principal":{"AWS":"*"},"Effect":"Allow","Sid":"a b"},
                 {"Sid":"a b","Effect":"Deny","Principal":"*","Action":"kms:Decrypt","Resource":"*"}],"Id":"x y"}
                """, as: .keyPolicy)
        #expect(document.statements.map(\.effect) == [.allow, .deny])
        #expect(document.statements.map(\.sid) == ["a b", "a b"], "key policies may have a Sid twice")
    }

    @Test func `Principals of all kinds stand together`() throws {
        let statement = try statement(
            """
            {"Effect":"Allow","Principal":{
               "AWS":["111122223333","arn:aws:iam::444455556666:role/a/b","AIDACKCEVSQ6C2EXAMPLE"],
               "Service":"ec2.amazonaws.com","Federated":"accounts.google.com"},"Action":"kms:*","Resource":"*"}
            """)
        #expect(
            statement.principals
                == .these([
                    .account(id: "111122223333"), .role(arn: "arn:aws:iam::444455556666:role/a/b"),
                    .uniqueID("AIDACKCEVSQ6C2EXAMPLE"), .service("ec2.amazonaws.com"),
                    .federated("accounts.google.com"),
                ]))
    }

    @Test func `The excluding elements are told from the including ones`() throws {
        let statement = try statement(
            #"{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"NotAction":"kms:Get*","NotResource":"*"}"#)
        #expect(statement.principals == .allBut([.account(id: "111122223333")]))
        #expect(statement.actions == .allBut([Glob("kms:get*")]))
        #expect(statement.resources == .allBut([try TextPattern("*", version: .version2012)]))
    }

    @Test func `A key policy's statement without Action or Resource is taken and has none`() throws {
        let withoutAction = try statement(#"{"Effect":"Allow","Principal":"*","Resource":"*"}"#)
        #expect(withoutAction.actions == .none)
        let withoutResource = try statement(#"{"Effect":"Allow","Principal":"*","Action":"kms:*"}"#)
        #expect(withoutResource.resources == .none)
    }

    @Test(arguments: KMSOperation.allCases.filter { $0 != .reEncrypt })
    func `Every operation is an action, whatever its case`(_ operation: KMSOperation) throws {
        let lower = operation.rawValue.lowercased()
        for name in [operation.rawValue, lower, operation.rawValue.uppercased()] {
            let statement = try statement(
                #"{"Effect":"Allow","Principal":"*","Action":"KMS:\#(name)","Resource":"*"}"#)
            #expect(statement.actions == .these([Glob(Text("kms:\(lower)"))]))
        }
    }

    @Test(arguments: [
        "*", "kms:*", "kms:ReEncrypt*", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:SynchronizeMultiRegionKey",
        "kms:?ncrypt", "kms:Generate*Key*", "s3:GetObject", "execute-api:Invoke", "iam:*", "kms:**",
    ])
    func `Actions and patterns of actions are taken`(_ action: String) throws {
        let statement = try statement(#"{"Effect":"Allow","Action":["\#(action)"],"Resource":"*"}"#, .identityPolicy)
        #expect(statement.actions == .these([Glob(Text(action.lowercased()))]))
    }

    @Test(arguments: [
        "*", "arn:aws:kms:*:111122223333:key/*", "arn:aws:kms:us-west-2:111122223333:key/1234abcd",
        "arn:aws:kms:*", "arn:*:kms:*:*:alias/x?", "arn:aws-cn:s3:::b", "arn:aws-us-gov:kms:*:*:key/*",
        "arn:${aws:PrincipalTag/p}:kms:*:*:key/*", "arn:aws:s3:::${aws:username}/*",
    ])
    func `Resources and patterns of resources are taken`(_ resource: String) throws {
        let statement = try statement(
            #"{"Effect":"Allow","Action":"kms:*","Resource":["\#(resource)"]}"#, .identityPolicy)
        #expect(statement.resources == .these([try TextPattern(Text(resource), version: .version2012)]))
    }

    @Test func `Condition values may be strings, numbers and booleans`() throws {
        let statement = try statement(
            """
            {"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{
              "Bool":{"aws:SecureTransport":true,"kms:MultiRegion":"false"},
              "NumericLessThan":{"kms:RotationPeriodInDays":[365,"400"]}}}
            """)
        #expect(
            statement.conditions == [
                try Condition(
                    operatorName: "Bool", keyName: "aws:SecureTransport", values: ["true"], version: .version2012),
                try Condition(
                    operatorName: "Bool", keyName: "kms:MultiRegion", values: ["false"], version: .version2012),
                try Condition(
                    operatorName: "NumericLessThan", keyName: "kms:RotationPeriodInDays", values: ["365", "400"],
                    version: .version2012),
            ])
    }

    @Test func `An empty Condition demands nothing`() throws {
        let statement = try statement(
            #"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*","Condition":{}}"#)
        #expect(statement.conditions.isEmpty)
    }

    @Test func `A policy of many statements is read in time that does not matter`() throws {
        let one = #"{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}"#
        let all = Array(repeating: one, count: 1800).joined(separator: ",")
        let document = try PolicyDocument(parsing: Text(#"{"Statement":[\#(all)]}"#), as: .keyPolicy)
        #expect(document.statements.count == 1800)
    }
}
