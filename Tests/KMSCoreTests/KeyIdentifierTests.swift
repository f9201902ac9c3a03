import KMSCore
import KMSModel
import Testing

struct KeyIdentifierTests {
    private let scope = Scope(accountID: "111111111111", region: "eu-central-1")
    private let id = "1234abcd-12ab-34cd-56ef-1234567890ab"

    @Test func `The four forms are told apart`() throws {
        let other = Scope(accountID: "222222222222", region: "eu-central-1")
        #expect(try KeyIdentifier(Text(id), in: scope) == .keyID(id))
        #expect(try KeyIdentifier("alias/x", in: scope) == .aliasName("alias/x"))
        #expect(try KeyIdentifier(Text(other.keyARN(id)), in: scope) == .keyARN(other, id))
        #expect(try KeyIdentifier(Text(other.aliasARN("alias/a/b")), in: scope) == .aliasARN(other, "alias/a/b"))
        let multiRegion = "mrk-1234abcd12ab34cd56ef1234567890ab"
        #expect(try KeyIdentifier(Text(multiRegion), in: scope) == .keyID(multiRegion))
    }

    @Test(arguments: [
        "mrk-fake-key-id", "1234abcd12ab34cd56ef1234567890ab", "1234ABCD-12ab-34cd-56ef-1234567890ab", "x", "Alias/x",
        "1234abcd-12ab-34cd-56ef-1234567890a\u{e9}", "1234abcd-12ab-34cd-56ef-1234567890abc",
    ])
    func `A malformed id is not found`(text: String) {
        #expect(throws: KMSError(.notFound, "Invalid keyId '\(text)'")) { try KeyIdentifier(Text(text), in: scope) }
    }

    @Test func `An ARN of another Region is named by its Region`() {
        let arn = Scope(accountID: "111111111111", region: "us-west-2").keyARN(id)
        #expect(throws: KMSError(.notFound, "Invalid arn us-west-2")) { try KeyIdentifier(Text(arn), in: scope) }
    }

    @Test(arguments: [
        "arn:", "arn:aws:kms:eu-central-1:111111111111", "arn:aws:s3:eu-central-1:111111111111:key/1",
        "arn:aws:kms:eu-central-1:1:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-central-1:111111111111:grant/1",
        "arn:aws-cn:kms:eu-central-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    ])
    func `A malformed ARN is an invalid ARN`(text: String) {
        #expect { try KeyIdentifier(Text(text), in: scope) } throws: { ($0 as? KMSError)?.code == .invalidArn }
    }

    @Test func `Partitions follow the Region`() {
        #expect(Scope(accountID: "111111111111", region: "cn-north-1").keyARN("k").hasPrefix("arn:aws-cn:kms:"))
        #expect(Scope(accountID: "111111111111", region: "us-gov-west-1").keyARN("k").hasPrefix("arn:aws-us-gov:"))
    }
}
