import KMSModel
import Testing

/// Bodies that are no JSON, or not the JSON of the operation: SerializationException, and never anything worse.
@Suite struct BadJSONTests {
    private func code(_ body: [UInt8]) -> KMSErrorCode? {
        do {
            _ = try DescribeKeyRequest.decode(body)
            return nil
        } catch {
            return error.code
        }
    }

    private func code(_ body: String) -> KMSErrorCode? { code([UInt8](body.utf8)) }

    @Test(arguments: [
        #"{"#, #"}"#, #"{"KeyId""#, #"{"KeyId":"#, #"{"KeyId":"a""#, #"{"KeyId":"a",}"#, #"{,"KeyId":"a"}"#,
        #"{"KeyId":"a"} x"#, #"{"KeyId":"a"}{}"#, #"{"KeyId" "a"}"#, #"{"KeyId":"a" "X":1}"#, #"{KeyId:"a"}"#,
        #"{'KeyId':'a'}"#, #"{"KeyId":"a"}]"#, #"[]"#, #""KeyId""#, "null", "true", "0", "  ", "\u{FEFF}{}", "{}\u{0}",
        "{\u{A0}}", "{\u{B}}", "// comment\n{}", #"{"KeyId":undefined}"#,
    ])
    func `Malformed text is refused`(_ body: String) {
        #expect(code(body) == .serialization)
    }

    @Test(arguments: [
        "01", "-", "+1", ".5", "1.", "1.e3", "1e", "1e+", "0x10", "NaN", "Infinity", "-Infinity", "tru", "nulll",
        "True",
        "fals", "[1,]", "[,1]", "[1 2]", "[", "[1", #"{"a":1,}"#, #"{"a"}"#, #"{1:2}"#, #"""#, #"'a'"#, "", "--1",
        "1-1",
    ])
    func `Malformed values of unknown members are refused too`(_ value: String) {
        #expect(code(#"{"KeyId":"a","Unknown":"# + value + "}") == .serialization)
    }

    @Test(arguments: [
        "0", "-0", "1.5e-7", "-1E+400", "123456789012345678901234567890", "[]", "{}", "[[],{}]", "true", "false",
        "null",
        #""""#, #"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#, " [ 1 , 2 ] ", #""\ud83d\udd11""#,
        String(repeating: "9", count: 5000),
    ])
    func `Well-formed unknown members are ignored`(_ value: String) throws {
        let request = try DescribeKeyRequest.decode([UInt8]((#"{"Unknown":"# + value + #","KeyId":"a"}"#).utf8))
        #expect(request.keyId == "a")
    }

    @Test(arguments: ["0", "true", "false", "[]", "{}", #"["a"]"#, "-1"])
    func `A string is wanted where the model says string`(_ value: String) {
        #expect(code(#"{"KeyId":"# + value + "}") == .serialization)
    }

    @Test(arguments: [
        #""1""#, "true", "[1]", "{}", "1.5", "1e300", "9223372036854775808", "-9223372036854775809", "1e19",
        "99999999999999999999999999999999999999999999999999999999999999999999999",
    ])
    func `An integer is wanted where the model says integer`(_ value: String) {
        #expect(throws: KMSError.self) { try ListKeysRequest.decode([UInt8](#"{"Limit":\#(value)}"#.utf8)) }
        do {
            _ = try ListKeysRequest.decode([UInt8](#"{"Limit":\#(value)}"#.utf8))
        } catch {
            #expect(error.code == .serialization)
        }
    }

    @Test(arguments: [("7", 7), ("7.0", 7), ("1e2", 100), ("1000", 1000), ("10.00e1", 100)])
    func `An integer may be spelt with a fraction or an exponent`(_ value: String, _ expected: Int) throws {
        #expect(try ListKeysRequest.decode([UInt8](#"{"Limit":\#(value)}"#.utf8)).limit == expected)
    }

    @Test(arguments: ["1", "0", #""true""#, "[]", "null "])
    func `A boolean is wanted where the model says boolean`(_ value: String) throws {
        let body = [UInt8](#"{"KeyId":"a","GrantId":"b","DryRun":\#(value)}"#.utf8)
        if value == "null " {
            #expect(try RevokeGrantRequest.decode(body).dryRun == nil)
        } else {
            #expect(throws: KMSError.self) { try RevokeGrantRequest.decode(body) }
        }
    }

    @Test(arguments: [
        "1e300", "-1e300", "1e400", "253402300800", "-62167219201", #""2020-01-01T00:00:00Z""#, "true", "{}",
    ])
    func `A timestamp out of range or of another type is refused`(_ value: String) {
        let body = [UInt8](
            #"{"KeyId":"a","ImportToken":"AA==","EncryptedKeyMaterial":"AA==","ValidTo":\#(value)}"#.utf8)
        do {
            _ = try ImportKeyMaterialRequest.decode(body)
            Issue.record("accepted")
        } catch {
            #expect(error.code == .serialization)
        }
    }

    @Test(arguments: ["1572216195", "1572216195.0", "1572216195.123", "1.572216195e9"])
    func `A timestamp is a number, with or without a fraction`(_ value: String) throws {
        let body = [UInt8](
            #"{"KeyId":"a","ImportToken":"AA==","EncryptedKeyMaterial":"AA==","ValidTo":\#(value)}"#.utf8)
        let validTo = try #require(try ImportKeyMaterialRequest.decode(body).validTo)
        #expect(validTo.millisecondsSinceEpoch / 1000 == 1_572_216_195)
    }

    @Test(arguments: [
        #"{"KeyId":"a","KeyId":"a"}"#, #"{"KeyId":null,"KeyId":"a"}"#, #"{"KeyId":"a","\u004beyId":"b"}"#,
        #"{"KeyId":"a","X":1,"X":2}"#, #"{"KeyId":"a","X":1,"\u0058":2}"#, #"{"KeyId":"a","X":{"y":1,"y":1}}"#,
        #"{"KeyId":"a","X":[[{"y":1,"z":2,"y":1}]]}"#, #"{"KeyId":"a","":1,"":2}"#,
    ])
    func `Duplicate members are refused at every level`(_ body: String) {
        #expect(code(body) == .serialization)
    }

    @Test func `Duplicate keys of an encryption context are refused`() throws {
        func decode(_ context: String) throws(KMSError) -> EncryptRequest {
            try EncryptRequest.decode(
                [UInt8](#"{"KeyId":"a","Plaintext":"AA==","EncryptionContext":\#(context)}"#.utf8))
        }
        #expect(throws: KMSError.self) { try decode(#"{"a":"1","a":"2"}"#) }
        #expect(throws: KMSError.self) { try decode(#"{"a":"1","\u0061":"1"}"#) }
        // Canonically equivalent is not the same.
        #expect(try decode("{\"\u{E9}\":\"1\",\"e\u{301}\":\"2\"}").encryptionContext?.count == 2)
    }

    @Test func `A member name may be escaped`() throws {
        #expect(try DescribeKeyRequest.decode([UInt8](#"{"\u004b\u0065yId":"a"}"#.utf8)).keyId == "a")
    }

    @Test(arguments: [
        #"\ud800"#, #"\udc00"#, #"\ud800\ud800"#, #"\ud800x"#, #"\ud800\n"#, #"\udc00\ud800"#, #"\ud83d\u0041"#,
        #"\u12"#, #"\u12g4"#, #"\x41"#, #"\"#, #"\'"#, #"\U0041"#, "\u{1}", "\n", "\t", "\u{0}", "\u{1F}",
    ])
    func `Lone surrogates, bad escapes and raw control characters are refused`(_ content: String) {
        #expect(code(#"{"KeyId":""# + content + #""}"#) == .serialization)
        #expect(code(#"{"KeyId":"a","Unknown":""# + content + #""}"#) == .serialization)
        #expect(code(#"{"KeyId":"a",""# + content + #"":1}"#) == .serialization)
    }

    @Test(
        arguments: [
            [0x80], [0xC3], [0xC0, 0xAF], [0xC1, 0xBF], [0xE0, 0x80, 0xAF], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF],
            [0xF0, 0x80, 0x80, 0xAF], [0xF4, 0x90, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80], [0xFE], [0xFF],
            [0xE2, 0x82],
        ] as [[UInt8]])
    func `Bytes that are not UTF-8 are refused wherever they stand`(_ bytes: [UInt8]) {
        let open = [UInt8](#"{"KeyId":"a"#.utf8)
        #expect(code(open + bytes + [UInt8](#""}"#.utf8)) == .serialization)
        #expect(code(open + [UInt8](#"","X":""#.utf8) + bytes + [UInt8](#""}"#.utf8)) == .serialization)
        #expect(code(open + [UInt8](#""}"#.utf8) + bytes) == .serialization)
    }

    @Test func `Escapes mean what RFC 8259 says`() throws {
        let body = #"{"KeyId":"\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\uDD11\u0000\u2028"}"#
        let expected: Text = "\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{20AC}\u{1F511}\u{0}\u{2028}"
        #expect(try DescribeKeyRequest.decode([UInt8](body.utf8)).keyId == expected)
    }

    @Test func `Nesting ends at 64`() throws {
        func body(_ depth: Int) -> [UInt8] {
            let brackets = String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1)
            return [UInt8]((#"{"KeyId":"a","X":"# + brackets + "}").utf8)
        }
        #expect(try DescribeKeyRequest.decode(body(64)).keyId == "a")
        #expect(code(body(65)) == .serialization)
    }

    @Test(arguments: ["[", "{", #"{"a":"#, "[{", "\"", "1", "-", "\\", " ", "{\"KeyId\":["])
    func `A mebibyte of the same is an answer, not a crash`(_ unit: String) {
        let body = Array(
            [UInt8](String(repeating: unit, count: 1_048_576 / unit.utf8.count + 1).utf8).prefix(1_048_576))
        #expect(code(body) == .serialization)
        #expect(code([UInt8](#"{"KeyId":"a","X":"#.utf8) + body) == .serialization)
        #expect(code([UInt8](#"{"KeyId":"#.utf8) + body) == .serialization)
    }

    @Test(arguments: ["A", "AA=", "AA", "A A=", "====", "AB==", "AA==AA==", "-_-_", #"\n"#, #"AA==\n"#])
    func `A blob that is not base64 is refused`(_ text: String) {
        for member in ["Plaintext", "CiphertextBlob"] {
            let body = [UInt8](#"{"KeyId":"a","\#(member)":"\#(text)"}"#.utf8)
            #expect(throws: KMSError.serialization("the blob before byte \(body.count - 1) is not base64")) {
                if member == "Plaintext" {
                    _ = try EncryptRequest.decode(body)
                } else {
                    _ = try DecryptRequest.decode(body)
                }
            }
        }
    }
}
