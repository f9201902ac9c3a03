import KMSModel
import SecureMemory
import Testing

/// The words of AWS for each kind of constraint.
@Suite struct ConstraintTests {
    /// The message of the ValidationException that decoding `body` leads to.
    private func message<Request: KMSRequest>(_ type: Request.Type, _ body: String) -> String? {
        do {
            _ = try Request.decode([UInt8](body.utf8))
            return nil
        } catch {
            return error.code == .validation ? error.message : "\(error)"
        }
    }

    private func one(_ item: String) -> String { "1 validation error detected: " + item }

    @Test func `A number too low or too high`() {
        #expect(
            message(GenerateRandomRequest.self, #"{"NumberOfBytes":0}"#)
                == one(
                    "Value '0' at 'numberOfBytes' failed to satisfy constraint: "
                        + "Member must have value greater than or equal to 1"))
        #expect(
            message(GenerateRandomRequest.self, #"{"NumberOfBytes":1025}"#)
                == one(
                    "Value '1025' at 'numberOfBytes' failed to satisfy constraint: "
                        + "Member must have value less than or equal to 1024"))
        #expect(message(GenerateRandomRequest.self, #"{"NumberOfBytes":1024}"#) == nil)
        #expect(message(GenerateRandomRequest.self, "{}") == nil, "the operation itself asks for it")
    }

    @Test func `A string too long, inside a list of structures`() {
        let key = String(repeating: "k", count: 129)
        #expect(
            message(TagResourceRequest.self, #"{"KeyId":"a","Tags":[{"TagKey":"\#(key)","TagValue":""}]}"#)
                == one(
                    "Value '\(key)' at 'tags.1.member.tagKey' failed to satisfy constraint: "
                        + "Member must have length less than or equal to 128"))
    }

    @Test func `A string too short`() {
        #expect(
            message(DescribeKeyRequest.self, #"{"KeyId":""}"#)
                == one(
                    "Value '' at 'keyId' failed to satisfy constraint: "
                        + "Member must have length greater than or equal to 1"))
    }

    @Test func `Lengths count Unicode scalars`() {
        func body(_ value: String) -> String { #"{"KeyId":"a","Tags":[{"TagKey":"k","TagValue":"\#(value)"}]}"# }
        #expect(message(TagResourceRequest.self, body(String(repeating: "\u{1F511}", count: 256))) == nil)
        #expect(message(TagResourceRequest.self, body(String(repeating: "e\u{301}", count: 128))) == nil)
        #expect(message(TagResourceRequest.self, body(String(repeating: "e\u{301}", count: 128) + "x")) != nil)
        #expect(message(TagResourceRequest.self, body(String(repeating: "\u{1F511}", count: 257))) != nil)
    }

    @Test(arguments: ["", String(repeating: "AAAA", count: 1366)])
    func `The value of a sensitive blob is not echoed`(_ plaintext: String) {
        let bound = plaintext.isEmpty ? "greater than or equal to 1" : "less than or equal to 4096"
        #expect(
            message(EncryptRequest.self, #"{"KeyId":"a","Plaintext":"\#(plaintext)"}"#)
                == one("Value at 'plaintext' failed to satisfy constraint: Member must have length \(bound)"))
    }

    @Test func `A plaintext of 4096 bytes is the longest`() throws {
        let text = String(repeating: "AAAA", count: 1365) + "AA=="
        #expect(
            try EncryptRequest.decode([UInt8](#"{"KeyId":"a","Plaintext":"\#(text)"}"#.utf8)).plaintext.count == 4096)
    }

    @Test func `The value of a sensitive string is not echoed, whichever constraint it breaks`() {
        let body = #"{"CustomKeyStoreName":"n","KeyStorePassword":"hunter"}"#
        #expect(
            message(CreateCustomKeyStoreRequest.self, body)
                == one(
                    "Value at 'keyStorePassword' failed to satisfy constraint: "
                        + "Member must have length greater than or equal to 7"))
        let credential =
            #"{"AccessKeyId":"lowercaselowercaselow","RawSecretAccessKey":"\#(String(repeating: "a", count: 43))"}"#
        #expect(
            message(
                CreateCustomKeyStoreRequest.self,
                #"{"CustomKeyStoreName":"n","XksProxyAuthenticationCredential":\#(credential)}"#)
                == one(
                    "Value at 'xksProxyAuthenticationCredential.accessKeyId' failed to satisfy constraint: "
                        + "Member must satisfy regular expression pattern: ^[A-Z2-7]+$"))
    }

    @Test func `An unknown enum value`() {
        #expect(
            message(GenerateMacRequest.self, #"{"KeyId":"a","Message":"AA==","MacAlgorithm":"INVALID"}"#)
                == one(
                    "Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy enum value "
                        + "set: [HMAC_SHA_224, HMAC_SHA_256, HMAC_SHA_384, HMAC_SHA_512]"))
    }

    @Test func `An enum value that only looks like a known one is unknown`() {
        // U+212A KELVIN SIGN is canonically equivalent to K.
        #expect(message(CreateKeyRequest.self, "{\"Origin\":\"AWS_\u{212A}MS\"}")?.contains("enum value set") == true)
        #expect(message(CreateKeyRequest.self, #"{"Origin":"aws_kms"}"#)?.contains("enum value set") == true)
        #expect(message(CreateKeyRequest.self, #"{"Origin":"AWS_\u004bMS"}"#) == nil)
        #expect(OriginType(exactly: "AWS_\u{212A}MS") == nil)
        #expect(OriginType(exactly: "AWS_KMS") == .awsKms)
    }

    @Test func `A pattern that does not match`() {
        #expect(
            message(CreateAliasRequest.self, #"{"AliasName":"alias/a b","TargetKeyId":"a"}"#)
                == one(
                    "Value 'alias/a b' at 'aliasName' failed to satisfy constraint: "
                        + "Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$"))
    }

    @Test func `A required member that is absent or null`() {
        let expected = one("Value null at 'keyId' failed to satisfy constraint: Member must not be null")
        #expect(message(DescribeKeyRequest.self, "{}") == expected)
        #expect(message(DescribeKeyRequest.self, "") == expected)
        #expect(message(DescribeKeyRequest.self, #"{"KeyId":null}"#) == expected)
        #expect(
            message(TagResourceRequest.self, #"{"KeyId":"a","Tags":[{"TagKey":"k","TagValue":""},{"TagKey":"k"}]}"#)
                == one("Value null at 'tags.2.member.tagValue' failed to satisfy constraint: Member must not be null"))
        #expect(
            message(TagResourceRequest.self, #"{"KeyId":"a","Tags":[null]}"#)
                == one("Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null"))
    }

    @Test func `A required member with an unknown value is not also missing`() {
        #expect(
            message(GenerateMacRequest.self, #"{"KeyId":"a","Message":"AA==","MacAlgorithm":"X"}"#)?
                .hasPrefix("1 validation error detected: Value 'X'") == true)
    }

    @Test func `Null is the same as absent for an optional member`() throws {
        let body = #"{"KeyId":"a","Plaintext":"AA==","EncryptionContext":null,"GrantTokens":null,"DryRun":null}"#
        let request = try EncryptRequest.decode([UInt8](body.utf8))
        #expect(request.encryptionContext == nil && request.grantTokens == nil && request.dryRun == nil)
    }

    @Test func `All violations are named at once`() {
        #expect(
            message(EncryptRequest.self, #"{"KeyId":"","EncryptionAlgorithm":"X"}"#)
                == "3 validation errors detected: "
                + "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1; "
                + "Value 'X' at 'encryptionAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: "
                + "[SYMMETRIC_DEFAULT, RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE]; "
                + "Value null at 'plaintext' failed to satisfy constraint: Member must not be null")
    }

    @Test func `Length and pattern of one string are named together`() {
        #expect(
            message(CreateAliasRequest.self, #"{"AliasName":"","TargetKeyId":"a"}"#)
                == "2 validation errors detected: Value '' at 'aliasName' failed to satisfy constraint: "
                + "Member must have length greater than or equal to 1; Value '' at 'aliasName' failed to satisfy "
                + "constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$")
    }

    @Test func `A list with too many elements, and one with a bad element`() {
        let tokens = (1...11).map { "\"\($0)\"" }.joined(separator: ",")
        #expect(
            message(DescribeKeyRequest.self, #"{"KeyId":"a","GrantTokens":[\#(tokens)]}"#)
                == one(
                    "Value '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]' at 'grantTokens' failed to satisfy constraint: "
                        + "Member must have length less than or equal to 10"))
        #expect(
            message(DescribeKeyRequest.self, #"{"KeyId":"a","GrantTokens":["t",""]}"#)
                == one(
                    "Value '[t, ]' at 'grantTokens' failed to satisfy constraint: Member must satisfy constraint: "
                        + "[Member must have length less than or equal to 8192, "
                        + "Member must have length greater than or equal to 1, Member must not be null]"))
        let operations = message(
            CreateGrantRequest.self, #"{"KeyId":"a","GranteePrincipal":"p","Operations":["Encrypt","Nope"]}"#)
        #expect(
            operations?.hasPrefix(
                one(
                    "Value '[Encrypt, Nope]' at 'operations' failed to satisfy constraint: "
                        + "Member must satisfy constraint: [Member must satisfy enum value set: [Decrypt, Encrypt, "))
                == true)
    }

    @Test func `A structure inside a structure has its path in the message`() {
        #expect(
            message(
                CreateGrantRequest.self,
                #"{"KeyId":"a","GranteePrincipal":"p","Operations":["Encrypt"],"Constraints":{"SourceArn":"short"}}"#)?
                .contains("at 'constraints.sourceArn' failed") == true)
    }

    @Test func `One answer names no more than a hundred`() {
        let tags = Array(repeating: "{}", count: 10_000).joined(separator: ",")
        let text = message(TagResourceRequest.self, #"{"KeyId":"a","Tags":[\#(tags)]}"#)
        #expect(text?.hasPrefix("100 validation errors detected: ") == true)
        #expect(text?.components(separator: "; ") == 100)
    }
}

extension String {
    /// The number of parts that `separator` makes of the string.
    fileprivate func components(separator: String) -> Int {
        var count = 1
        var rest = self[...]
        while let range = rest.firstRange(of: separator) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
