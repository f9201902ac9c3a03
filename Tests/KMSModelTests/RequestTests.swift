import KMSModel
import SecureMemory
import Testing

@Suite struct RequestTests {
    private static let encrypt = #"""
        {"KeyId":"alias/x","Plaintext":"aGVsbG8=","EncryptionContext":{"a":"b","\u00e9":"c"},
         "GrantTokens":["t1","t2"],"EncryptionAlgorithm":"SYMMETRIC_DEFAULT","DryRun":false,"New":{"deep":[1,{"x":null}]}}
        """#
    private static let createGrant = #"""
        {"KeyId":"k","GranteePrincipal":"arn:aws:iam::111122223333:role/R","Operations":["Encrypt","ReEncryptFrom"],
         "Constraints":{"EncryptionContextSubset":{"k":"v"}},"Name":"n"}
        """#
    private static let importMaterial = #"""
        {"KeyId":"k","ImportToken":"AAEC","EncryptedKeyMaterial":"/+8=","ValidTo":1572216195.25,
         "ExpirationModel":"KEY_MATERIAL_EXPIRES"}
        """#
    private static let tags = #"{"KeyId":"k","Tags":[{"TagKey":"a","TagValue":""},{"TagKey":"b","TagValue":"c"}]}"#

    private func bytes(_ secret: SecretBytes) -> [UInt8] {
        secret.withBytes { span in span.indices.map { span[$0] } }
    }

    @Test func `Encrypt is read with all its members`() throws {
        let request = try EncryptRequest.decode([UInt8](Self.encrypt.utf8))
        #expect(request.keyId == "alias/x")
        #expect(bytes(request.plaintext) == [UInt8]("hello".utf8))
        #expect(request.encryptionContext == ["a": "b", "\u{E9}": "c"])
        #expect(request.grantTokens == ["t1", "t2"])
        #expect(request.encryptionAlgorithm == .symmetricDefault)
        #expect(request.dryRun == false)
    }

    @Test func `A span of a larger buffer is read in place`() throws {
        let buffer = [UInt8]("junk".utf8) + [UInt8](Self.encrypt.utf8) + [UInt8]("junk".utf8)
        #expect(try EncryptRequest.decode(buffer.span.extracting(4..<buffer.count - 4)).keyId == "alias/x")
    }

    @Test func `Nested structures, lists of enums, timestamps and blobs are read`() throws {
        let grant = try CreateGrantRequest.decode([UInt8](Self.createGrant.utf8))
        #expect(grant.operations == [.encrypt, .reEncryptFrom])
        #expect(grant.constraints == GrantConstraints(encryptionContextSubset: ["k": "v"]))
        let material = try ImportKeyMaterialRequest.decode([UInt8](Self.importMaterial.utf8))
        #expect(material.importToken == [0, 1, 2])
        #expect(material.encryptedKeyMaterial == [0xFF, 0xEF])
        #expect(material.validTo == Timestamp(secondsSinceEpoch: 1_572_216_195.25))
        #expect(material.expirationModel == .keyMaterialExpires)
        #expect(
            try TagResourceRequest.decode([UInt8](Self.tags.utf8)).tags
                == [KMSModel.Tag(tagKey: "a", tagValue: ""), KMSModel.Tag(tagKey: "b", tagValue: "c")])
    }

    @Test func `Base64 with escaped characters is read, as some encoders write it`() throws {
        let body = #"{"KeyId":"a","Plaintext":"\/\u002b8\u003d"}"#
        #expect(bytes(try EncryptRequest.decode([UInt8](body.utf8)).plaintext) == [0xFF, 0xEF])
        let ciphertext = #"{"CiphertextBlob":"\/\u002b8\u003d"}"#
        #expect(try DecryptRequest.decode([UInt8](ciphertext.utf8)).ciphertextBlob == [0xFF, 0xEF])
    }

    @Test func `A password is read byte by byte, with its escapes`() throws {
        let body = #"{"CustomKeyStoreName":"n","KeyStorePassword":"p\u0061ss\"w\u00f6rd"}"#
        let password = try #require(try CreateCustomKeyStoreRequest.decode([UInt8](body.utf8)).keyStorePassword)
        #expect(bytes(password) == [UInt8]("pass\"w\u{F6}rd".utf8))
    }

    @Test func `An empty body is an empty object`() throws {
        #expect(try ListKeysRequest.decode([]) == ListKeysRequest())
        #expect(try ListKeysRequest.decode([UInt8](" \r\n\t{ } \n".utf8)) == ListKeysRequest())
    }

    @Test(arguments: [encrypt, createGrant, importMaterial, tags])
    func `A request cut off anywhere is refused`(_ body: String) {
        let bytes = [UInt8](body.utf8)
        for length in 1..<bytes.count {
            let prefix = Array(bytes.prefix(length))
            #expect(throws: KMSError.self) { try EncryptRequest.decode(prefix) }
            #expect(throws: KMSError.self) { try CreateGrantRequest.decode(prefix) }
            #expect(throws: KMSError.self) { try ImportKeyMaterialRequest.decode(prefix) }
            #expect(throws: KMSError.self) { try TagResourceRequest.decode(prefix) }
        }
    }

    @Test func `Random bytes and random changes never do worse than an error`() {
        var generator = SplitMix64(state: 2014_11_01)
        let seeds = [Self.encrypt, Self.createGrant, Self.importMaterial, Self.tags].map { [UInt8]($0.utf8) }
        let alphabet =
            [UInt8](#"{}[]",:\u0123456789eE+-.truefalsn AKeyId"#.utf8) + [0x00, 0x80, 0xC3, 0xED, 0xF0, 0xFF]
        var refused = 0
        for round in 0..<20_000 {
            var body: [UInt8]
            if round % 4 == 0 {
                body = (0..<Int.random(in: 0..<64, using: &generator)).map { _ in
                    alphabet.randomElement(using: &generator)!
                }
            } else {
                body = seeds[round % seeds.count]
                for _ in 0..<Int.random(in: 1...4, using: &generator) {
                    body[Int.random(in: 0..<body.count, using: &generator)] = alphabet.randomElement(using: &generator)!
                }
            }
            for operation in [.encrypt, .createGrant, .importKeyMaterial, .tagResource] as [KMSOperation] {
                do { try Self.decode(body, as: operation) } catch {
                    refused += 1
                    #expect(error.code == .serialization || error.code == .validation)
                }
            }
        }
        #expect(refused > 60_000)
    }

    private static func decode(_ body: [UInt8], as operation: KMSOperation) throws(KMSError) {
        func decode<Shape: KMSOperationShape>(_ shape: Shape.Type) throws(KMSError) {
            _ = try Shape.Request.decode(body)
        }
        try decode(operation.shape)
    }
}

/// A random number generator that gives the same numbers in every run: Steele, Lea, Flood, "Fast splittable
/// pseudorandom number generators" (2014).
private struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
        return word ^ word >> 31
    }
}
