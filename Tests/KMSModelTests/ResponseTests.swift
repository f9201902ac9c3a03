import KMSModel
import SecureMemory
import Testing

@Suite struct ResponseTests {
    private func text(_ body: [UInt8]) -> String { String(decoding: body, as: UTF8.self) }

    @Test func `Only members that are set are written`() {
        #expect(text(EncryptResponse().encodedBody()) == "{}")
        #expect(
            text(EncryptResponse(ciphertextBlob: [1, 2, 3], keyId: "arn").encodedBody())
                == #"{"CiphertextBlob":"AQID","KeyId":"arn"}"#)
    }

    @Test func `An operation without output answers no bytes, one with an empty output an empty object`() {
        #expect(EmptyResponse().encodedBody().isEmpty)
        #expect(text(ConnectCustomKeyStoreResponse().encodedBody()) == "{}")
        #expect(Operations.CreateAlias.Response.self == EmptyResponse.self)
        #expect(Operations.ConnectCustomKeyStore.Response.self == ConnectCustomKeyStoreResponse.self)
    }

    @Test func `Lists, structures, enums, booleans and integers are written`() {
        let metadata = KeyMetadata(
            keyId: "k", awsAccountId: "111122223333", enabled: true, encryptionAlgorithms: [.symmetricDefault],
            keySpec: .symmetricDefault, keyState: .pendingDeletion,
            multiRegionConfiguration: MultiRegionConfiguration(
                multiRegionKeyType: .primary, primaryKey: MultiRegionKey(arn: "a", region: "r"), replicaKeys: []),
            pendingDeletionWindowInDays: 7)
        #expect(
            text(DescribeKeyResponse(keyMetadata: metadata).encodedBody())
                == #"{"KeyMetadata":{"AWSAccountId":"111122223333","Enabled":true,"#
                + #""EncryptionAlgorithms":["SYMMETRIC_DEFAULT"],"KeyId":"k","KeySpec":"SYMMETRIC_DEFAULT","#
                + #""KeyState":"PendingDeletion","MultiRegionConfiguration":{"MultiRegionKeyType":"PRIMARY","#
                + #""PrimaryKey":{"Arn":"a","Region":"r"},"ReplicaKeys":[]},"PendingDeletionWindowInDays":7}}"#)
        #expect(
            text(
                ListKeysResponse(keys: [KeyListEntry(keyId: "1"), KeyListEntry(keyId: "2")], truncated: false)
                    .encodedBody())
                == #"{"Keys":[{"KeyId":"1"},{"KeyId":"2"}],"Truncated":false}"#)
        #expect(text(ListResourceTagsResponse(tags: []).encodedBody()) == #"{"Tags":[]}"#)
        #expect(text(ListKeyPoliciesResponse(policyNames: ["a", "b"]).encodedBody()) == #"{"PolicyNames":["a","b"]}"#)
    }

    @Test func `A map is written in the order of its bytes, and the next member follows`() {
        let entry = GrantListEntry(
            constraints: GrantConstraints(
                encryptionContextEquals: ["b": "2", "a": "1", "\u{E9}": ""], encryptionContextSubset: [:]),
            grantId: "g")
        #expect(
            text(ListGrantsResponse(grants: [entry]).encodedBody())
                == "{\"Grants\":[{\"Constraints\":{\"EncryptionContextEquals\":{\"a\":\"1\",\"b\":\"2\",\"\u{E9}\":\"\"},"
                + #""EncryptionContextSubset":{}},"GrantId":"g"}]}"#)
    }

    @Test(arguments: [
        (1_572_216_195.0, "1572216195.0"), (1_572_216_195.123, "1572216195.123"), (1_572_216_195.5, "1572216195.5"),
        (0.001, "0.001"), (0, "0.0"), (-0.25, "-0.25"), (-1.001, "-1.001"), (1_572_216_195.9996, "1572216196.0"),
        (1_572_216_195.02, "1572216195.02"),
    ])
    func `A timestamp is a number with milliseconds`(_ seconds: Double, _ expected: String) {
        let response = ScheduleKeyDeletionResponse(deletionDate: Timestamp(secondsSinceEpoch: seconds))
        #expect(text(response.encodedBody()) == #"{"DeletionDate":\#(expected)}"#)
    }

    @Test func `A secret becomes base64 in place, however often the output grows`() {
        for count in [0, 1, 31, 32, 1000, 4096] {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let pair = GenerateDataKeyPairResponse(
                keyId: Text(String(repeating: "k", count: 2000)), privateKeyPlaintext: SecretBytes(copying: bytes.span),
                publicKey: bytes)
            let body = text(pair.encodedBody())
            let expected = text([UInt8](capacity: Base64.encodedCount(count)) { Base64.encode(bytes.span, into: &$0) })
            #expect(body.hasSuffix(#","PrivateKeyPlaintext":"\#(expected)","PublicKey":"\#(expected)"}"#))
        }
    }

    @Test func `Any text survives writing and reading`() throws {
        var scalars = (0...0x2FF).compactMap { Unicode.Scalar(UInt32($0)) }
        scalars += ["\u{2028}", "\u{2029}", "\u{FEFF}", "\u{FFFF}", "\u{1F511}", "\u{10FFFF}", "\u{D7FF}", "\u{E000}"]
        for scalar in scalars {
            let value = Text("<" + String(scalar) + "\">")
            let body = GetKeyPolicyResponse(policy: value).encodedBody()
            #expect(body.allSatisfy { $0 >= 0x20 })
            #expect(try PutKeyPolicyProbe.decode(body).policy == value)
        }
    }

    @Test func `Control characters have the short escape where RFC 8259 gives one`() {
        #expect(
            text(GetKeyPolicyResponse(policy: "\u{0}\u{8}\t\n\u{B}\u{C}\r\u{1F}\"\\/").encodedBody())
                == #"{"Policy":"\u0000\b\t\n\u000b\f\r\u001f\"\\/"}"#)
    }
}

/// Reads `Policy` without the constraints of PutKeyPolicy.
private struct PutKeyPolicyProbe: KMSRequest {
    var policy: Text

    static func read(_ body: Span<UInt8>, _ reader: inout RequestReader) throws(KMSError) -> PutKeyPolicyProbe? {
        var object = try reader.json.beginObject(body)
        var policy: Text?
        while let name = try reader.json.nextName(body, in: &object) {
            guard name.matches("Policy", body) else { return nil }
            policy = try reader.text(body, at: "policy")
        }
        return policy.map(PutKeyPolicyProbe.init)
    }
}
