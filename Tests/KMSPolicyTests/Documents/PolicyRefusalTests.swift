import KMSModel
import KMSPolicy
import Testing

/// What is refused, and what the refusal says.
@Suite struct PolicyRefusalTests {
    /// A statement that would be taken, with some elements replaced, added, or, by an empty text, left out.
    struct Case: Sendable, CustomTestStringConvertible {
        let kind: PolicyDocument.Kind
        let elements: [String: String]
        let says: String
        let code: PolicyError.Code

        init(
            _ kind: PolicyDocument.Kind, _ elements: [String: String], says: String,
            _ code: PolicyError.Code = .malformed
        ) {
            self.kind = kind
            self.elements = elements
            self.says = says
            self.code = code
        }

        init(_ elements: [String: String], says: String, _ code: PolicyError.Code = .malformed) {
            self.init(.keyPolicy, elements, says: says, code)
        }

        var text: Text {
            var statement = ["Effect": #""Allow""#, "Action": #""kms:*""#]
            switch kind {
            case .keyPolicy:
                statement["Principal"] = #""*""#
                statement["Resource"] = #""*""#
            case .identityPolicy: statement["Resource"] = #""*""#
            case .trustPolicy:
                statement["Principal"] = #""*""#
                statement["Action"] = #""sts:AssumeRole""#
            }
            statement.merge(elements) { $1 }
            let members = statement.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
            return Text(#"{"Statement":[{\#(members.map { "\"\($0)\":\($1)" }.joined(separator: ","))}]}"#)
        }

        var testDescription: String { "\(kind) \(elements)" }
    }

    private func refusal(_ text: Text, _ kind: PolicyDocument.Kind) -> PolicyError? {
        do {
            _ = try PolicyDocument(parsing: text, as: kind)
            return nil
        } catch {
            return error
        }
    }

    private func check(_ refused: Case) throws {
        let error = try #require(refusal(refused.text, refused.kind), "\(refused.text)")
        #expect(error.code == refused.code)
        #expect(error.description.contains(refused.says), "\(error.description)")
        #expect(error.description.utf8.count < 600)
    }

    @Test(arguments: [PolicyDocument.Kind.keyPolicy, .identityPolicy, .trustPolicy])
    func `The statement that the refused ones are made from is taken`(_ kind: PolicyDocument.Kind) {
        #expect(refusal(Case(kind, [:], says: "").text, kind) == nil)
    }

    @Test(arguments: [
        ("", "not valid JSON"), ("{", "not valid JSON"), ("[]", "the policy is an array; it must be an object"),
        ("null", "the policy is null"), ("\"x\"", "the policy is a string"), ("{}", "the policy has no Statement"),
        (#"{"Statement":[]}"#, "Statement is empty"), (#"{"Statement":"x"}"#, "Statement is a string"),
        (#"{"Statement":null}"#, "Statement is null"), (#"{"Statement":[[]]}"#, "Statement[0] is an array"),
        (#"{"Statement":[null]}"#, "Statement[0] is null"), (#"{"Statement":[{}]}"#, "Statement[0] has no Effect"),
        (#"{"Statement":{}}"#, "Statement has no Effect"),
        (#"{"Version":"2012-10-18","Statement":{}}"#, #"it must be "2012-10-17" or "2008-10-17""#),
        (#"{"Version":"","Statement":{}}"#, #"Version is """#),
        (#"{"Version":2012,"Statement":{}}"#, "Version is a number"),
        (#"{"Version":null,"Statement":{}}"#, "Version is null"), (#"{"Id":1,"Statement":{}}"#, "Id is a number"),
        (#"{"statement":{}}"#, #"unknown element "statement"; the name is written "Statement""#),
        (#"{"Statements":{}}"#, #"the policy has an unknown element "Statements""#),
        (#"{"Statement":{},"Statement":{}}"#, "duplicate member at byte 16"),
        (#"{"Statement":{},"a":{"b":1,"b":1}}"#, "duplicate member"),
        (#"{"Statement":{}} x"#, "not valid JSON: expected the end of the body at byte 17"),
        ("\u{FEFF}{}", "not valid JSON"), (#"{"Id":"\ud800"}"#, "malformed escape sequence"),
    ])
    func `Documents that are none are refused`(_ text: String, _ says: String) throws {
        let error = try #require(refusal(Text(text), .keyPolicy))
        #expect(error.code == .malformed)
        #expect(error.description.contains(says), "\(error.description)")
    }

    @Test(arguments: [
        Case(["Effect": ""], says: "Statement[0] has no Effect"),
        Case(["Effect": #""allow""#], says: #"Statement[0].Effect is "allow"; it must be "Allow" or "Deny""#),
        Case(["Effect": "true"], says: "Effect is a boolean"), Case(["Effect": #"["Allow"]"#], says: "is an array"),
        Case(["Effect": #""Allow ""#], says: "must be"),
        Case(["effect": #""Allow""#], says: #"unknown element "effect"; the name is written "Effect""#),
        Case(["Actions": #""kms:*""#], says: #"unknown element "Actions""#),
        Case(["Sid": "1"], says: "Statement[0].Sid is a number"),
        Case(.identityPolicy, ["Sid": #""a b""#], says: "letters and digits only"),
        Case(.trustPolicy, ["Sid": #""a-b""#], says: "letters and digits only"),
        Case(["NotAction": #""kms:*""#], says: "both Action and NotAction"),
        Case(["NotResource": #""*""#], says: "both Resource and NotResource"),
        Case(["NotPrincipal": #""*""#], says: "both Principal and NotPrincipal"),
    ])
    func `Statements of no form are refused`(_ refused: Case) throws { try check(refused) }

    @Test(arguments: [
        Case(["Principal": ""], says: "Statement[0] has no Principal"),
        Case(.trustPolicy, ["Principal": ""], says: "Statement[0] has no Principal"),
        Case(.identityPolicy, ["Principal": #""*""#], says: "has Principal; a policy of a user or role"),
        Case(.identityPolicy, ["NotPrincipal": #""*""#], says: "has NotPrincipal"),
        Case(["Principal": "{}"], says: "Principal is empty"), Case(["Principal": "[]"], says: "is an array"),
        Case(["Principal": "null"], says: "is null"), Case(["Principal": #"["*"]"#], says: "is an array"),
        Case(["Principal": #"{"AWS":[]}"#], says: "Principal.AWS is empty"),
        Case(["Principal": #"{"AWS":{}}"#], says: "Principal.AWS is an object"),
        Case(["Principal": #"{"AWS":[1]}"#], says: "a value of Statement[0].Principal.AWS is a number"),
        Case(["Principal": #"{"AWS":111122223333}"#], says: "is a number"),
        Case(["Principal": #"{"aws":"*"}"#], says: #"unknown kind of principal "aws""#),
        Case(["Principal": #"{"User":"*"}"#], says: #"known are "AWS", "Service" and "Federated""#),
        Case(
            ["Principal": #""arn:aws:iam::111122223333:root""#], says: #"must be "*" or an object"#, .invalidPrincipal),
        Case(["Principal": #""""#], says: "must be", .invalidPrincipal),
        Case(["Principal": #"{"CanonicalUser":"79a59d"}"#], says: "only Amazon S3 takes", .invalidPrincipal),
        Case(["Principal": #"{"Service":"*"}"#], says: "no service principal", .invalidPrincipal),
        Case(["Principal": #"{"Service":"s3"}"#], says: "no service principal", .invalidPrincipal),
        Case(["Principal": #"{"Service":".amazonaws.com"}"#], says: "no service principal", .invalidPrincipal),
        Case(["Principal": #"{"Service":"s3.amazonaws.com.evil.org"}"#], says: "no service", .invalidPrincipal),
        Case(["Principal": #"{"Service":"S3.amazonaws.com"}"#], says: "no service", .invalidPrincipal),
        Case(["Principal": #"{"Federated":"*"}"#], says: "has a wildcard", .invalidPrincipal),
        Case(["Principal": #"{"Federated":"example.com"}"#], says: "nor an ARN", .invalidPrincipal),
        Case(
            ["Principal": #"{"Federated":"arn:aws:iam::111122223333:user/a"}"#], says: "no identity provider",
            .invalidPrincipal),
        Case(
            ["NotPrincipal": #"{"AWS":"arn:aws:iam::111122223333:user/*"}"#, "Principal": ""],
            says: "Statement[0].NotPrincipal: the principal", .invalidPrincipal),
    ])
    func `Principals of no form are refused`(_ refused: Case) throws { try check(refused) }

    @Test(arguments: [
        Case(.identityPolicy, ["Action": ""], says: "Statement[0] has no Action"),
        Case(.trustPolicy, ["Action": ""], says: "Statement[0] has no Action"),
        Case(["Action": "[]"], says: "Action is empty"), Case(["Action": "{}"], says: "Action is an object"),
        Case(["Action": "[1]"], says: "a value of Statement[0].Action is a number"),
        Case(["Action": "null"], says: "is null"), Case(["Action": #""""#], says: #""" is no action"#),
        Case(["Action": #""Encrypt""#], says: #""Encrypt" is no action"#),
        Case(["Action": #""kms""#], says: "is no action"), Case(["Action": #""kms:""#], says: "is no action"),
        Case(["Action": #"":Encrypt""#], says: "is no action"), Case(["Action": #""**""#], says: "is no action"),
        Case(["Action": #""kms:a:b""#], says: "is no action"), Case(["Action": #""k*:Encrypt""#], says: "is no action"),
        Case(["Action": #""kms: Encrypt""#], says: "is no action"),
        Case(["Action": #""kms:${aws:username}""#], says: "is no action"),
        Case(["Action": #""kms=Decrypt""#], says: "is no action"),
        Case(["Action": #""\u212Ams:Decrypt""#], says: #"ms:Decrypt" is no action"#),
        Case(["Action": #"["kms:Decrypt","kms:Encrpyt"]"#], says: #""kms:Encrpyt" is no action of KMS"#),
        Case(["NotAction": #""KMS:encrpyt""#, "Action": ""], says: "NotAction: \"KMS:encrpyt\" is no action of KMS"),
        Case(.identityPolicy, ["Action": #""kms:ReEncrypt""#], says: #"it is "kms:ReEncryptFrom""#),
        Case(.trustPolicy, ["Action": #""*""#], says: "may only specify STS AssumeRole actions"),
        Case(.trustPolicy, ["Action": #""kms:Encrypt""#], says: "may only specify STS AssumeRole actions"),
        Case(.trustPolicy, ["Action": #""sts:GetCallerIdentity""#], says: "may only specify"),
    ])
    func `Actions that are none are refused`(_ refused: Case) throws { try check(refused) }

    @Test(arguments: [
        Case(.identityPolicy, ["Resource": ""], says: "Statement[0] has no Resource"),
        Case(.trustPolicy, ["Resource": #""*""#], says: "has Resource; a trust policy"),
        Case(.trustPolicy, ["NotResource": #""*""#], says: "has NotResource; a trust policy"),
        Case(["Resource": "[]"], says: "Resource is empty"), Case(["Resource": "{}"], says: "is an object"),
        Case(["Resource": #""""#], says: "is no resource"), Case(["Resource": #""**""#], says: "is no resource"),
        Case(["Resource": #""key/x""#], says: "is no resource"), Case(["Resource": #""a*""#], says: "is no resource"),
        Case(["Resource": #""arn:aws:kms""#], says: "is no resource"),
        Case(["Resource": #""arn:aws:kms:us-west-2:111122223333""#], says: "is no resource"),
        Case(["Resource": #""arn:aws:kms:us-west-2:111122223333:""#], says: "is no resource"),
        Case(["Resource": #""arn:aws::us-west-2:111122223333:key/x""#], says: "is no resource"),
        Case(["Resource": #""ARN:aws:kms:us-west-2:111122223333:key/x""#], says: "is no resource"),
        Case(["Resource": #""arn:amazon:kms:us-west-2:111122223333:key/x""#], says: "unknown partition"),
    ])
    func `Resources that are none are refused`(_ refused: Case) throws { try check(refused) }

    @Test(arguments: [
        Case(["Condition": "[]"], says: "Statement[0].Condition is an array; it must be an object"),
        Case(["Condition": "null"], says: "is null"), Case(["Condition": #""x""#], says: "is a string"),
        Case(["Condition": #"{"Bool":{}}"#], says: #"Condition["Bool"] must be an object with a condition key"#),
        Case(["Condition": #"{"Bool":"x"}"#], says: "must be an object with a condition key"),
        Case(["Condition": #"{"Bool":["x"]}"#], says: "must be an object with a condition key"),
        Case(
            ["Condition": #"{"Bool":{"aws:SecureTransport":[]}}"#],
            says: #"Condition["Bool"]["aws:SecureTransport"] is empty"#),
        Case(["Condition": #"{"Bool":{"aws:SecureTransport":null}}"#], says: "is null; it must be a string, a number"),
        Case(["Condition": #"{"Bool":{"aws:SecureTransport":{}}}"#], says: "is an object"),
        Case(["Condition": #"{"Bool":{"aws:SecureTransport":[["true"]]}}"#], says: "a value of"),
    ])
    func `Conditions of no form are refused`(_ refused: Case) throws { try check(refused) }

    @Test(arguments: [PolicyDocument.Kind.identityPolicy, .trustPolicy])
    func `A Sid that is there twice is refused where IAM refuses it`(_ kind: PolicyDocument.Kind) throws {
        let rest =
            kind == .trustPolicy ? #""Principal":"*","Action":"sts:AssumeRole""# : #""Action":"*","Resource":"*""#
        let statement = #"{"Sid":"a","Effect":"Allow",\#(rest)}"#
        let error = try #require(refusal(Text(#"{"Statement":[\#(statement),\#(statement)]}"#), kind))
        #expect(error.description == #"statement IDs (Sid) in a single policy must be unique; "a" is there twice"#)
    }

    @Test func `A refusal quotes little, and nothing that does not print`() throws {
        let long = String(repeating: "x", count: 10_000)
        for text in [#"{"Version":"\#(long)"}"#, #"{"\#(long)":1}"#, #"{"Version":"\u0000\u0007\u2028\ud83d\udd11"}"#] {
            let error = try #require(refusal(Text(text), .keyPolicy))
            #expect(error.description.utf8.count < 200)
            #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0 != "\u{2028}" })
        }
    }

    @Test func `The aliases of a key are for identity policies to ask for`() throws {
        let condition = #"{"ForAnyValue:StringEquals":{"kms:ResourceAliases":"alias/x"}}"#
        try check(Case(["Condition": condition], says: "use kms:RequestAlias in key policies"))
        #expect(refusal(Case(.identityPolicy, ["Condition": condition], says: "").text, .identityPolicy) == nil)
    }

    /// KMS Developer Guide, "Using set operators with condition keys": with ForAllValues such a condition also holds
    /// for requests without the pair.
    @Test(arguments: ["kms:EncryptionContext:AppName", "aws:RequestTag/Project"])
    func `ForAllValues with a single-valued key is too permissive for a key policy`(_ key: String) throws {
        let condition = #"{"ForAllValues:StringEquals":{"\#(key)":"x"}}"#
        try check(Case(["Condition": condition], says: "OverlyPermissiveCondition: Using the ForAllValues"))
        #expect(refusal(Case(.identityPolicy, ["Condition": condition], says: "").text, .identityPolicy) == nil)
        let multivalued = #"{"ForAllValues:StringEquals":{"kms:EncryptionContextKeys":"x"}}"#
        #expect(refusal(Case(["Condition": multivalued], says: "").text, .keyPolicy) == nil)
    }
}
