import SecureMemory
import SigV4
import Testing

@Suite struct SigningKeyCacheTests {
    private let credentials = TestCredentials()

    @Test func `The source is asked once for a key, a day and a Region`() throws {
        let verifier = SignatureVerifier(credentials: credentials)
        for _ in 0..<10 { _ = try verifier.verify(TestSigner().request(), now: TestSigner.time) }
        #expect(credentials.lookups == 1)
        _ = try verifier.verify(TestSigner(region: "eu-central-1").request(), now: TestSigner.time)
        #expect(credentials.lookups == 2)
        #expect(verifier.cachedKeyCount == 2)
    }

    @Test func `A changed secret counts from the moment the keys are forgotten`() throws {
        let verifier = SignatureVerifier(credentials: credentials)
        _ = try verifier.verify(TestSigner().request(), now: TestSigner.time)
        credentials.replace("AKIDEXAMPLE", with: "another")
        verifier.forgetSigningKeys()
        #expect(throws: SigV4Error.signatureMismatch) {
            _ = try verifier.verify(TestSigner().request(), now: TestSigner.time)
        }
        _ = try verifier.verify(TestSigner(secretKey: "another").request(), now: TestSigner.time)
        credentials.replace("AKIDEXAMPLE", with: nil)
        verifier.forgetSigningKeys()
        #expect(throws: SigV4Error.unknownAccessKey) {
            _ = try verifier.verify(TestSigner(secretKey: "another").request(), now: TestSigner.time)
        }
    }

    @Test func `A request that does not verify leaves nothing in the cache`() throws {
        let verifier = SignatureVerifier(credentials: credentials)
        for number in 0..<50 {
            let request = try TestSigner(secretKey: "wrong", region: "region-\(number)").request()
            #expect(throws: SigV4Error.signatureMismatch) { _ = try verifier.verify(request, now: TestSigner.time) }
        }
        #expect(verifier.cachedKeyCount == 0)
    }

    @Test func `The cache stays within its limit and still verifies`() throws {
        let verifier = SignatureVerifier(credentials: credentials, cachedKeyLimit: 4)
        for number in 0..<20 {
            _ = try verifier.verify(TestSigner(region: "region-\(number % 10)").request(), now: TestSigner.time)
            #expect(verifier.cachedKeyCount <= 4)
        }
    }

    /// Knows one access key, with one session token.
    private struct SessionSecret: SigningCredentialSource {
        func secret(accessKeyID: String, sessionToken: String?) -> SecretBytes? {
            sessionToken == "token" ? TestCredentials().secret(accessKeyID: accessKeyID, sessionToken: nil) : nil
        }
    }

    @Test func `The source is given the session token`() throws {
        let verifier = SignatureVerifier(credentials: SessionSecret())
        for (token, isKnown) in [(nil, false), ("another", false), ("token", true)] {
            var signer = TestSigner()
            if let token { signer.headers.append(("X-Amz-Security-Token", token)) }
            let request = try signer.request()
            if isKnown {
                _ = try verifier.verify(request, now: TestSigner.time)
            } else {
                #expect(throws: SigV4Error.unknownAccessKey) { _ = try verifier.verify(request, now: TestSigner.time) }
            }
        }
    }

    @Test func `Each service wants its own name and keeps its own keys`() throws {
        let sts = SignatureVerifier(service: "sts", credentials: credentials)
        #expect(throws: SigV4Error.wrongScope("Credential should be scoped to correct service: 'sts'.")) {
            _ = try sts.verify(TestSigner().request(), now: TestSigner.time)
        }
        let verified = try sts.verify(TestSigner(service: "sts").request(), now: TestSigner.time)
        #expect(verified.service == "sts")
        #expect(sts.cachedKeyCount == 1)
    }

    @Test func `Many tasks verify at once`() async throws {
        let verifier = SignatureVerifier(credentials: credentials, cachedKeyLimit: 2)
        let verified = await withTaskGroup(of: Int.self) { group in
            for task in 0..<8 {
                group.addTask {
                    (0..<100).reduce(0) { count, round in
                        let signer = TestSigner(region: "region-\((task + round) % 4)")
                        let result = try? verifier.verify(signer.request(), now: TestSigner.time)
                        return count + (result?.region == signer.region ? 1 : 0)
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(verified == 800)
    }
}
