import Foundation
import SecureMemory
import SigV4
import Testing

/// The signer against AWS's own test suite, and against the verifier.
@Suite struct RequestSignerTests {
    /// Cases whose headers one can sign at all; `PublishedSuiteTests` tells why not the others.
    static let cases = PublishedSuiteTests.cases.filter { PublishedSuiteTests.refused[$0.name] == nil }

    private static func credentials(token: String? = nil) -> SigningCredentials {
        let secret = Array("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".utf8)
        return SigningCredentials(
            accessKeyID: "AKIDEXAMPLE", secretAccessKey: SecretBytes(copying: secret.span), sessionToken: token)
    }

    @Test(arguments: cases)
    func `The signature of the suite comes out byte for byte`(test: PublishedSuiteTests.Case) throws {
        var request = try test.request()
        let token = request.headers.first { $0.name == "X-Amz-Security-Token" }?.value
        request.headers.removeAll { ["Authorization", "X-Amz-Date", "X-Amz-Security-Token"].contains($0.name) }
        let signer = RequestSigner(
            credentials: Self.credentials(token: token), region: "us-east-1", service: "service")
        let added = try signer.sign(request, at: TestSigner.time)
        let authorization = try #require(added.first { $0.name == "Authorization" })
        try #expect(authorization.value == test.text("authz").trimmingCharacters(in: .newlines))
        #expect(added.contains { $0.name == "X-Amz-Date" && $0.value == "20150830T123600Z" })
        #expect(added.first { $0.name == "X-Amz-Security-Token" }?.value == token)
    }

    @Test(arguments: [nil, "a session token"])
    func `What the signer signs, the verifier takes`(token: String?) throws {
        var request = SignedRequest(
            method: "POST", path: "/", query: "",
            headers: [
                ("Host", "kms.eu-central-1.amazonaws.com"), ("Content-Type", "application/x-amz-json-1.1"),
                ("X-Amz-Target", "TrentService.ListKeys"),
            ], bodyDigest: [UInt8](repeating: 7, count: 32))
        let signer = RequestSigner(credentials: Self.credentials(token: token), region: "eu-central-1")
        let time: Int64 = 1_800_000_000
        request.headers += try signer.sign(request, at: time)
        let verifier = SignatureVerifier(credentials: TestCredentials())
        let verified = try verifier.verify(request, now: time)
        #expect(verified.accessKeyID == "AKIDEXAMPLE")
        #expect(verified.region == "eu-central-1")
        #expect(verified.signedAt == time)
        request.bodyDigest[0] ^= 1
        #expect(throws: SigV4Error.signatureMismatch) { _ = try verifier.verify(request, now: time) }
    }

    @Test func `Headers that two readers could read differently are not signed`() {
        let signer = RequestSigner(credentials: Self.credentials(), region: "us-east-1")
        var request = SignedRequest(
            method: "POST", path: "/", query: "", headers: [("Host", "a"), ("host", "b")],
            bodyDigest: [UInt8](repeating: 0, count: 32))
        #expect(throws: SigV4Error.duplicateHeader("host")) { _ = try signer.sign(request, at: 0) }
        request.headers = [("Host", "a\nb")]
        #expect(throws: SigV4Error.self) { _ = try signer.sign(request, at: 0) }
    }
}
