import SecureMemory
import SigV4
import Testing

/// Every way a request can be refused, each made from a request that verifies by changing one thing.
@Suite struct RefusalTests {
    private let credentials = TestCredentials()
    private let verifier: SignatureVerifier

    init() { verifier = SignatureVerifier(credentials: credentials) }

    private func refusal(_ request: SignedRequest, now: Int64 = TestSigner.time) -> SigV4Error? {
        #expect(throws: SigV4Error.self) { _ = try verifier.verify(request, now: now) }
    }

    @Test func `The unchanged request verifies`() throws {
        let verified = try verifier.verify(TestSigner().request(), now: TestSigner.time)
        #expect(verified.accessKeyID == "AKIDEXAMPLE")
        #expect(verified.service == "kms")
    }

    @Test func `No Authorization, or an empty one, is missing authentication`() throws {
        var request = try TestSigner().request()
        request.headers.removeFirst()
        #expect(refusal(request) == .missingAuthentication)
        try #expect(refusal(TestSigner().request(authorization: "")) == .missingAuthentication)
    }

    @Test(arguments: ["Basic dXNlcjpwYXNz", "AWS AKID:signature", "Bearer x", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 "])
    func `Another scheme is told everything that is required`(header: String) throws {
        let expected =
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
            + "Authorization header requires 'SignedHeaders' parameter. Authorization=\(header)"
        try #expect(refusal(TestSigner().request(authorization: header)) == .incompleteSignature(expected))
    }

    @Test func `A request without a date is told so in AWS's words`() throws {
        var request = try TestSigner().request(authorization: "AWS4-HMAC-SHA256 x")
        request.headers.removeAll { $0.name == "X-Amz-Date" }
        request.headers[0].value = "AWS4-HMAC-SHA256"
        let expected =
            "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. "
            + "Authorization header requires 'SignedHeaders' parameter. "
            + "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
            + "Authorization=AWS4-HMAC-SHA256"
        #expect(refusal(request) == .incompleteSignature(expected))
    }

    @Test(arguments: ["Credential", "SignedHeaders", "Signature"])
    func `A missing parameter is named`(name: String) throws {
        let parts = try TestSigner().authorization().dropFirst("AWS4-HMAC-SHA256 ".count).split(separator: ", ")
        let header = "AWS4-HMAC-SHA256 " + parts.filter { !$0.hasPrefix("\(name)=") }.joined(separator: ", ")
        try #expect(
            refusal(TestSigner().request(authorization: header))
                == .incompleteSignature("Authorization header requires '\(name)' parameter. Authorization=\(header)"))
    }

    @Test(arguments: [
        "AWS4-HMAC-SHA256 Credential", "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 =x", "AWS4-HMAC-SHA256 ,",
        "AWS4-HMAC-SHA256 Credential=a,Credential=a", "AWS4-HMAC-SHA256 Credential=a b,Signature=c",
        "AWS4-HMAC-SHA256 credential=a", "AWS4-HMAC-SHA256 Other=x", "AWS4-HMAC-SHA256 Credential=a,,Signature=b",
        "AWS4-HMAC-SHA256 Credential=a,Signature=b,SignedHeaders=c,Other=d",
    ])
    func `A malformed parameter list is an incomplete signature`(header: String) throws {
        guard case .incompleteSignature(let text) = try refusal(TestSigner().request(authorization: header)) else {
            Issue.record("another refusal")
            return
        }
        #expect(text.contains("not a valid key=value pair in Authorization header"))
    }

    @Test(arguments: [
        "AKIDEXAMPLE", "a/b/c/d", "a/b/c/d/e/f", "/20150830/us-east-1/kms/aws4_request",
        "a//us-east-1/kms/aws4_request",
        "ä/20150830/us-east-1/kms/aws4_request",
    ])
    func `A malformed credential is an incomplete signature`(credential: String) throws {
        let header = "AWS4-HMAC-SHA256 Credential=\(credential),SignedHeaders=host,Signature=0"
        guard case .incompleteSignature(let text) = try refusal(TestSigner().request(authorization: header)) else {
            Issue.record("another refusal")
            return
        }
        #expect(text.hasPrefix("Credential must have exactly 5 slash-delimited elements"))
    }

    @Test(arguments: [
        "Host;x-amz-date", "x-amz-date;host", "host;host", "host;;x-amz-date", ";host", "host;", "ho st", "hö",
    ])
    func `SignedHeaders in another than the canonical form are refused`(list: String) throws {
        let header = "AWS4-HMAC-SHA256 Credential=a/20150830/r/kms/aws4_request,SignedHeaders=\(list),Signature=0"
        guard case .incompleteSignature = try refusal(TestSigner().request(authorization: header)) else {
            Issue.record("another refusal")
            return
        }
    }

    @Test(arguments: ["20150830T123600", "2015-08-30T12:36:00Z", "20150830T1236000Z", "20150230T123600Z", "", "now"])
    func `A malformed date is an incomplete signature`(date: String) throws {
        var signer = TestSigner()
        signer.headers[3].value = date
        signer.timestamp = date
        try #expect(
            refusal(signer.request())
                == .incompleteSignature(
                    "Date must be in ISO-8601 'basic format'. Got '\(date)'. See http://en.wikipedia.org/wiki/ISO_8601")
        )
    }

    @Test func `The credential scope must name service, terminator, Region and day`() throws {
        var signer = TestSigner()
        signer.service = "sts"
        try #expect(
            refusal(signer.request()) == .wrongScope("Credential should be scoped to correct service: 'kms'."))
        signer = TestSigner(terminator: "aws5_request")
        try #expect(
            refusal(signer.request())
                == .wrongScope(
                    "Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'."))
        signer = TestSigner(day: "20150829")
        try #expect(
            refusal(signer.request())
                == .wrongScope(
                    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
                        + "'20150829' != '20150830', from '20150830T123600Z'."))
        for region in ["US-EAST-1", "-a", "a-", "a_b", "eu.west", String(repeating: "a", count: 33)] {
            signer = TestSigner(region: region)
            try #expect(
                refusal(signer.request()) == .wrongScope("Credential should be scoped to a valid region."), "\(region)")
        }
    }

    @Test func `Five minutes of skew are permitted, one second more is not`() throws {
        let request = try TestSigner().request()
        for skew: Int64 in [-300, -299, 0, 299, 300] {
            _ = try verifier.verify(request, now: TestSigner.time + skew)
        }
        #expect(
            refusal(request, now: TestSigner.time + 301)
                == .skewPast(
                    "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
                ))
        #expect(
            refusal(request, now: TestSigner.time - 301)
                == .skewFuture(
                    "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z "
                        + "(20150830T123059Z + 5 min.)"))
    }

    @Test(arguments: ["host", "x-amz-target", "x-amz-date"])
    func `A header that decides the request must be signed`(name: String) throws {
        var signer = TestSigner()
        signer.signedHeaders = signer.signedNames.filter { $0 != name }
        let expected = name == "host" ? "Host" : name
        try #expect(refusal(signer.request()) == .unsignedHeader(expected))
    }

    @Test func `An X-Amz header that was added on the way is refused`() throws {
        var request = try TestSigner().request()
        request.headers.append(("X-AMZ-Security-Token", "stolen"))
        #expect(refusal(request) == .unsignedHeader("x-amz-security-token"))
    }

    @Test func `Headers outside of AWS's own need not be signed`() throws {
        var request = try TestSigner().request()
        request.headers.append(("amz-sdk-request", "attempt=1"))
        request.headers.append(("X-Amzn-Trace-Id", "Root=1"))
        _ = try verifier.verify(request, now: TestSigner.time)
    }

    @Test(arguments: ["authorization", "HOST", "content-type", "x-amz-target", "X-Amz-Date", "x-amz-new"])
    func `A duplicate of a guarded header is refused`(name: String) throws {
        var request = try TestSigner().request()
        request.headers += [(name, "one"), (name, "two")]
        #expect(refusal(request) == .duplicateHeader(name.lowercased()))
    }

    @Test func `A duplicate of any signed header is refused`() throws {
        var signer = TestSigner()
        signer.headers.append(("My-Header", "one"))
        var request = try signer.request()
        _ = try verifier.verify(request, now: TestSigner.time)
        request.headers.append(("my-header", "two"))
        #expect(refusal(request) == .duplicateHeader("my-header"))
    }

    @Test func `A signed header that is not there is refused`() throws {
        var signer = TestSigner()
        signer.signedHeaders = (signer.signedNames + ["my-header"]).sorted()
        try #expect(
            refusal(signer.request())
                == .incompleteSignature("SignedHeaders names 'my-header', which the request does not have."))
    }

    @Test func `A line feed in a signed header cannot stand for another header`() throws {
        var signer = TestSigner()
        signer.headers[1].value = "text\nhost:elsewhere"
        try #expect(
            refusal(signer.request()) == .incompleteSignature("A signed header must not contain control characters."))
    }

    @Test func `A given body digest must be the digest of the body`() throws {
        var signer = TestSigner()
        let digest = "x-amz-content-sha256"
        for value in ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "", String(repeating: "0", count: 64)] {
            signer.headers = TestSigner().headers + [(digest, value)]
            try #expect(refusal(signer.request()) == .bodyDigestMismatch, "\(value)")
        }
        let request = try signer.request()
        signer.headers = TestSigner().headers + [(digest, TestSigner.hexadecimal(request.bodyDigest))]
        _ = try verifier.verify(signer.request(), now: TestSigner.time)
    }

    @Test func `An unknown access key and a wrong secret are told apart`() throws {
        try #expect(refusal(TestSigner(accessKeyID: "AKIDOTHER").request()) == .unknownAccessKey)
        try #expect(refusal(TestSigner(secretKey: "wrong").request()) == .signatureMismatch)
    }

    @Test(arguments: ["", "0", "upper"])
    func `A signature of another form is a wrong signature`(form: String) throws {
        let right = try TestSigner().authorization()
        let digits = String(right.suffix(64))
        let other = form == "upper" ? digits.uppercased() : digits + form + "0"
        let request = try TestSigner().request(authorization: right.dropLast(64) + other)
        #expect(refusal(request) == .signatureMismatch)
    }

    @Test func `Messages are AWS's where AWS's are known`() {
        #expect(
            SigV4Error.signatureMismatch.message
                == "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                + "Access Key and signing method. Consult the service documentation for details.")
        #expect(SigV4Error.unknownAccessKey.message == "The security token included in the request is invalid.")
        #expect(SigV4Error.incompleteSignature("text").message == "text")
    }
}
