import Testing
import kms_codegen

@Suite struct NamingTests {
    @Test(arguments: [
        ("SYMMETRIC_DEFAULT", "symmetricDefault"), ("RSA_2048", "rsa2048"), ("ECC_NIST_P256", "eccNistP256"),
        ("HMAC_SHA_256", "hmacSha256"), ("AWS_CLOUDHSM", "awsCloudhsm"), ("RSASSA_PSS_SHA_256", "rsassaPssSha256"),
        ("ML_DSA_44", "mlDsa44"), ("PendingDeletion", "pendingDeletion"), ("GenerateDataKey", "generateDataKey"),
        ("SELF", "`self`"), ("RSAES_PKCS1_V1_5", "rsaesPkcs1V15"), ("RAW", "raw"),
        ("ED25519_PH_SHA_512", "ed25519PhSha512"),
    ])
    func `An enum value becomes a case`(_ value: String, _ name: String) {
        #expect(Naming.enumCase(value) == name)
    }

    @Test(arguments: [
        ("KeyId", "keyId"), ("AWSAccountId", "awsAccountId"), ("CiphertextBlob", "ciphertextBlob"), ("Arn", "arn"),
        ("XksProxyConfiguration", "xksProxyConfiguration"), ("ARN", "arn"), ("message", "message"),
    ])
    func `A member begins with a small letter`(_ member: String, _ name: String) {
        #expect(Naming.member(member) == name)
    }

    @Test(arguments: [
        ("NotFoundException", "notFound"), ("KMSInvalidStateException", "kmsInvalidState"),
        ("InternalFailure", "internalFailure"),
        ("CloudHsmClusterInUseException", "cloudHsmClusterInUse"),
    ])
    func `An exception loses its last word`(_ exception: String, _ name: String) {
        #expect(Naming.errorCase(exception) == name)
    }

    // FIPS 180-4 examples: one block, two blocks, and the empty message.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `The fingerprint of the model is its SHA-256`(_ message: String, _ digest: String) throws {
        #expect(try fingerprint([UInt8](message.utf8)) == digest)
    }
}
