import KMSModel
import Testing

/// What is shown of a JSON object: chosen members, and nothing else.
struct JSONExcerptTests {
    private let selection: JSONExcerpt.Selection = [
        "KeyId": .value, "Context": .value, "ClusterName": .renamed("cluster", .value), "ValidTo": .date,
        "Tags": .structure(["TagKey": .value, "TagValue": .value]), "Constraints": .structure(["Equals": .value]),
    ]

    private func excerpt(
        _ body: String, defaults: [(name: String, json: StaticString)] = []
    ) throws(KMSError) -> String? {
        let bytes = Array(body.utf8)
        return try JSONExcerpt.of(bytes.span, selection, defaults: defaults).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `Members have their names in lower case, and their own order`() throws {
        #expect(
            try excerpt(#"{"Context":{"B":"1","a":"2"},"KeyId":"k"}"#) == #"{"context":{"B":"1","a":"2"},"keyId":"k"}"#)
        #expect(try excerpt(#"{"ClusterName":"c"}"#) == #"{"cluster":"c"}"#)
    }

    @Test func `What was not chosen is not shown, wherever it stands`() throws {
        #expect(try excerpt(#"{"Plaintext":"cGxhaW4=","KeyId":"k","keyId":"x"}"#) == #"{"keyId":"k"}"#)
        #expect(
            try excerpt(#"{"Tags":[{"TagKey":"k","Secret":{"a":[1]},"TagValue":"v"},{}]}"#)
                == #"{"tags":[{"tagKey":"k","tagValue":"v"},{}]}"#)
        #expect(
            try excerpt(#"{"Constraints":{"Token":"t","Equals":{"Token":"t"}}}"#)
                == #"{"constraints":{"equals":{"Token":"t"}}}"#)
    }

    @Test(arguments: ["", "{}", #"{"Plaintext":"x"}"#, #"{"KeyId":null}"#])
    func `Nothing to show is nothing`(body: String) throws {
        #expect(try excerpt(body) == nil)
    }

    @Test func `The result is one line whatever the white space was`() throws {
        #expect(
            try excerpt("{\n\"KeyId\" :\t\"a \\n \\\" b\",\r\n\"Context\": { \"x\" : \"y z\" } }\n")
                == #"{"keyId":"a \n \" b","context":{"x":"y z"}}"#)
    }

    @Test func `Dates are shown as people write them`() throws {
        #expect(try excerpt(#"{"ValidTo":1660171107.9}"#) == #"{"validTo":"Aug 10, 2022, 10:38:27 PM"}"#)
        #expect(try excerpt(#"{"ValidTo":0}"#) == #"{"validTo":"Jan 1, 1970, 12:00:00 AM"}"#)
        #expect(try excerpt(#"{"ValidTo":1709251199}"#) == #"{"validTo":"Feb 29, 2024, 11:59:59 PM"}"#)
    }

    @Test func `A default stands where the object says nothing`() throws {
        let defaults: [(name: String, json: StaticString)] = [("keyId", #""d""#), ("limit", "5")]
        #expect(try excerpt(#"{"KeyId":"k"}"#, defaults: defaults) == #"{"keyId":"k","limit":5}"#)
        #expect(try excerpt("", defaults: defaults) == #"{"keyId":"d","limit":5}"#)
    }

    @Test(arguments: ["[]", "{", #"{"KeyId":"k"} x"#, #"{"KeyId":}"#, #"{"Tags":[1]}"#])
    func `What is no object of this form is refused`(body: String) {
        #expect(throws: KMSError.self) { try excerpt(body) }
    }
}
