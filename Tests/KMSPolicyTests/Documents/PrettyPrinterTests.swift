import KMSModel
import KMSPolicy
import Testing

@Suite struct PrettyPrinterTests {
    @Test func `The default key policy looks as GetKeyPolicy shows it`() {
        let text: Text = """
            {"Version":"2012-10-17","Id":"key-default-1","Statement":[{"Sid":"Enable IAM User Permissions",
            "Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}]}
            """
        #expect(PolicyDocument.prettyPrinted(text) == Examples.defaultKeyPolicy)
        #expect(PolicyDocument.prettyPrinted(Examples.defaultKeyPolicy) == Examples.defaultKeyPolicy)
    }

    @Test func `Statements follow each other on one line, lists of texts stay on theirs`() {
        let text: Text = """
            {"Statement":[{"Action":["kms:Encrypt","kms:Decrypt"],"Condition":{"Bool":{"kms:MultiRegion":true}}},
            {"Resource":[]}],"Id":"a","Empty":{},"Mixed":[1.50,null,false,[{"x":-0e1}]]}
            """
        let expected: Text = """
            {
              "Statement" : [ {
                "Action" : [ "kms:Encrypt", "kms:Decrypt" ],
                "Condition" : {
                  "Bool" : {
                    "kms:MultiRegion" : true
                  }
                }
              }, {
                "Resource" : [ ]
              } ],
              "Id" : "a",
              "Empty" : { },
              "Mixed" : [ 1.50, null, false, [ {
                "x" : -0e1
              } ] ]
            }
            """
        #expect(PolicyDocument.prettyPrinted(text) == expected)
    }

    @Test func `Strings are escaped where they must be, and only there`() {
        let text: Text = #"{"\u0022\u005c":"\/\b\f\n\r\t\u0000\u001f\u007f\u00e9\ud83d\udd11"}"#
        let printed = PolicyDocument.prettyPrinted(text)
        #expect(printed == Text("{\n  \"\\\"\\\\\" : \"/\\b\\f\\n\\r\\t\\u0000\\u001F\u{7F}\u{E9}\u{1F511}\"\n}"))
        #expect(PolicyDocument.prettyPrinted(printed) == printed)
    }

    @Test(arguments: ["", "x", "{", "{} {}", #"{"a":1,"a":1}"#, #""\ud800""#, "{\u{0}}"])
    func `A text that is not JSON stays as it is`(_ text: String) {
        #expect(PolicyDocument.prettyPrinted(Text(text)) == Text(text))
    }

    @Test(arguments: Examples.keyPolicies.indices)
    func `The printed policy means the same`(_ index: Int) throws {
        let text = Examples.keyPolicies[index]
        let printed = PolicyDocument.prettyPrinted(text)
        #expect(try PolicyDocument(parsing: printed, as: .keyPolicy) == PolicyDocument(parsing: text, as: .keyPolicy))
    }
}
