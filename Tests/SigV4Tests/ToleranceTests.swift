import SigV4
import Testing

/// What real clients vary, and what hostile ones try.
@Suite struct ToleranceTests {
    private let verifier = SignatureVerifier(credentials: TestCredentials())

    private func verify(_ request: SignedRequest) throws {
        _ = try verifier.verify(request, now: TestSigner.time)
    }

    @Test func `Parameters may come in any order and with any white space between them`() throws {
        let parts = try TestSigner().authorization().dropFirst("AWS4-HMAC-SHA256 ".count).split(separator: ", ")
        for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
            for separator in [",", ", ", " , ", ",\t"] {
                let header = "AWS4-HMAC-SHA256 " + order.map { String(parts[$0]) }.joined(separator: separator)
                try verify(TestSigner().request(authorization: header))
            }
        }
    }

    @Test func `Header values count without the white space around them`() throws {
        var request = try TestSigner().request()
        for index in request.headers.indices where request.headers[index].name == "Content-Type" {
            request.headers[index].value = " \t" + request.headers[index].value + "  "
        }
        try verify(request)
    }

    @Test func `Names of headers count without case`() throws {
        var request = try TestSigner().request()
        for index in request.headers.indices { request.headers[index].name = request.headers[index].name.uppercased() }
        try verify(request)
    }

    @Test(arguments: ["Sun, 30 Aug 2015 12:36:00 GMT", "20150830T123600Z"])
    func `A Date header serves when there is no X-Amz-Date, if it is signed`(date: String) throws {
        var signer = TestSigner()
        signer.headers[3] = ("Date", date)
        try verify(signer.request())
        signer.signedHeaders = signer.signedNames.filter { $0 != "date" }
        #expect(throws: SigV4Error.unsignedHeader("date")) { try verify(signer.request()) }
    }

    @Test(arguments: [
        "Sun, 30 Aug 2015 12:36:00 UTC", "30 Aug 2015 12:36:00 GMT", "Sun, 30 Aux 2015 12:36:00 GMT",
        "Sun, 31 Feb 2015 12:36:00 GMT", "Sunday, 30-Aug-15 12:36:00 GMT", "Sun, 30 Aug 2015 24:36:00 GMT",
    ])
    func `Another form of Date is refused`(date: String) throws {
        var signer = TestSigner()
        signer.headers[3] = ("Date", date)
        let request = try signer.request()
        guard case .incompleteSignature = #expect(throws: SigV4Error.self, performing: { try verify(request) }) else {
            Issue.record("another refusal")
            return
        }
    }

    @Test(
        arguments: [
            ("19700101", "19700101T000000Z", 0), ("20000229", "20000229T235959Z", 951_868_799),
            ("20991231", "20991231T235959Z", 4_102_444_799), ("20240229", "20240229T000000Z", 1_709_164_800),
        ] as [(String, String, Int64)])
    func `Dates are counted right across leap days and centuries`(day: String, timestamp: String, time: Int64) throws {
        var signer = TestSigner(day: day, timestamp: timestamp)
        signer.headers[3].value = timestamp
        let verified = try verifier.verify(signer.request(), now: time)
        #expect(verified.signedAt == time)
    }

    @Test func `Every truncation of a good header is refused and none traps`() throws {
        let header = try TestSigner().authorization()
        for length in 0..<header.count {
            let request = try TestSigner().request(authorization: String(header.prefix(length)))
            #expect(throws: SigV4Error.self, "\(length) characters") { try verify(request) }
        }
    }

    @Test func `Junk is refused and never traps`() throws {
        var generator = SplitMix(state: 0x5eed)
        let words = [
            "AWS4-HMAC-SHA256", " ", ",", "=", "/", ";", "Credential", "SignedHeaders", "Signature", "host",
            "x-amz-date",
            "20150830", "us-east-1", "kms", "aws4_request", "AKIDEXAMPLE", "\u{0}", "\n", "é", "𝔘", "%", "\t", "0",
            "\u{fffd}",
        ]
        for _ in 0..<5_000 {
            let header = (0..<Int.random(in: 1...24, using: &generator)).map { _ in
                words[Int.random(in: words.indices, using: &generator)]
            }.joined()
            var request = try TestSigner().request(
                authorization: Bool.random(using: &generator) ? header : "AWS4-HMAC-SHA256 " + header)
            request.path = header
            request.query = header
            request.headers.append((header, header))
            #expect(throws: SigV4Error.self) { try verify(request) }
        }
    }

    @Test func `Junk in date, path, query and headers of a signed request never verifies and never traps`() throws {
        var generator = SplitMix(state: 7)
        for _ in 0..<2_000 {
            var request = try TestSigner().request()
            let junk = String(
                decoding: (0..<Int.random(in: 1...40, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }, as: UTF8.self)
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: request.path += junk + "x"
            case 1: request.query += "x=" + junk
            case 2: request.headers[4].value = junk
            default: request.headers[1].value += junk + "x"
            }
            #expect(throws: SigV4Error.self) { try verify(request) }
        }
    }

    @Test(arguments: [",", ";", "/", "=", " ", "Credential=a,", "a;"])
    func `A flood of separators is answered in linear time`(separator: String) throws {
        for flood in [
            String(repeating: separator, count: 100_000), String(repeating: separator, count: 15_000 / separator.count),
        ] {
            for prefix in [
                "AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA256 Credential=",
                "AWS4-HMAC-SHA256 Credential=a/b/c/d/e,Signature=x,SignedHeaders=",
            ] {
                let request = try TestSigner().request(authorization: prefix + flood)
                let duration = ContinuousClock().measure {
                    let error = #expect(throws: SigV4Error.self) { try verify(request) }
                    #expect((error?.message.utf8.count ?? 0) < 4_096)
                }
                #expect(duration < .seconds(1))
            }
        }
    }

    @Test func `More headers than any client sends are refused`() throws {
        var request = try TestSigner().request()
        request.headers += (0..<100_000).map { ("name-\($0)", "value") }
        #expect(throws: SigV4Error.incompleteSignature("A signed request must not have more than 128 headers.")) {
            try verify(request)
        }
    }
}

/// A small deterministic generator (SplitMix64), so that a failing run can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
