import KMSModel
import KMSPolicy
import Testing

struct `A grant that lets its grantee create grants` {
    private static func grant(
        _ operations: [GrantOperation], equals: [Text: Text]? = nil, subset: [Text: Text]? = nil
    ) -> Grant {
        Grant(
            id: "g", name: nil, granteePrincipal: "arn:aws:iam::111122223333:user/alice", retiringPrincipal: nil,
            operations: operations, encryptionContextEquals: equals, encryptionContextSubset: subset,
            issuingAccount: "arn:aws:iam::111122223333:root", creationDate: CaseTable.time)
    }

    @Test
    func `contains a child with some or all of its operations`() {
        let parent = Self.grant([.generateDataKey, .decrypt, .createGrant])
        #expect(parent.contains(child: Self.grant([.createGrant, .decrypt])))
        #expect(parent.contains(child: Self.grant([.decrypt], equals: ["Department": "IT"])))
        #expect(!parent.contains(child: Self.grant([.decrypt, .reEncryptFrom])))
        #expect(!parent.contains(child: Self.grant([.describeKey])))
    }

    @Test
    func `with EncryptionContextSubset contains children with the same or more pairs`() {
        let parent = Self.grant([.decrypt, .createGrant], subset: ["Department": "IT"])
        #expect(parent.contains(child: Self.grant([.decrypt], subset: ["Department": "IT"])))
        #expect(parent.contains(child: Self.grant([.decrypt], subset: ["Department": "IT", "Purpose": "Test"])))
        #expect(parent.contains(child: Self.grant([.decrypt], equals: ["Department": "IT"])))
        #expect(parent.contains(child: Self.grant([.decrypt], equals: ["Department": "IT", "Purpose": "Test"])))
        #expect(!parent.contains(child: Self.grant([.decrypt])))
        #expect(!parent.contains(child: Self.grant([.decrypt], subset: ["Department": "HR"])))
        #expect(!parent.contains(child: Self.grant([.decrypt], subset: [:])))
        #expect(!parent.contains(child: Self.grant([.decrypt], equals: ["Purpose": "Test"])))
    }

    @Test
    func `with EncryptionContextEquals contains children with the same one only`() {
        let parent = Self.grant([.decrypt, .createGrant], equals: ["Department": "IT"])
        #expect(parent.contains(child: Self.grant([.decrypt], equals: ["Department": "IT"])))
        #expect(
            parent.contains(child: Self.grant([.decrypt], equals: ["Department": "IT"], subset: ["Purpose": "Test"])))
        #expect(!parent.contains(child: Self.grant([.decrypt], subset: ["Department": "IT"])))
        #expect(!parent.contains(child: Self.grant([.decrypt], equals: ["Department": "IT", "Purpose": "Test"])))
        #expect(!parent.contains(child: Self.grant([.decrypt])))
    }

    @Test
    func `with both constraints contains children that are as strict as both`() {
        let context: [Text: Text] = ["Department": "IT", "Purpose": "Test"]
        let parent = Self.grant([.decrypt], equals: context, subset: ["Purpose": "Test"])
        #expect(parent.contains(child: Self.grant([.decrypt], equals: context)))
        #expect(!parent.contains(child: Self.grant([.decrypt], subset: ["Purpose": "Test"])))
        // No request fulfils both; nor may a child drop one of them.
        let contradictory = Self.grant([.decrypt], equals: ["Department": "IT"], subset: ["Purpose": "Test"])
        #expect(!contradictory.contains(child: Self.grant([.decrypt], equals: ["Department": "IT"])))
        #expect(contradictory.contains(child: contradictory))
    }

    @Test(arguments: UInt64(1)...40)
    func `never contains a child that covers more`(seed: UInt64) {
        var situations = GeneratedSituations(seed: seed)
        for _ in 0..<200 {
            let operations: [GrantOperation] = [.encrypt, .decrypt]
            let parent = situations.grant("p", to: GeneratedSituations.grantees, operations)
            let child = situations.grant("c", to: GeneratedSituations.grantees, operations)
            guard parent.contains(child: child) else { continue }
            for operation in operations {
                let context = situations.encryptionContext()
                if child.covers(operation, encryptionContext: context) {
                    #expect(parent.covers(operation, encryptionContext: context))
                }
            }
        }
    }
}

struct `The operations of a grant` {
    @Test(arguments: KeySpec.allCases)
    func `always include the three that every key has`(keySpec: KeySpec) {
        for usage in KeyUsageType.allCases {
            let operations = GrantRules.validOperations(for: keySpec, usage: usage)
            #expect(operations.isSuperset(of: [.createGrant, .retireGrant, .describeKey]))
        }
    }

    @Test(arguments: [
        (
            KeySpec.symmetricDefault, KeyUsageType.encryptDecrypt,
            "Decrypt Encrypt GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext "
                + "GenerateDataKeyWithoutPlaintext ReEncryptFrom ReEncryptTo"
        ),
        (.rsa2048, .encryptDecrypt, "Decrypt Encrypt GetPublicKey ReEncryptFrom ReEncryptTo"),
        (.sm2, .encryptDecrypt, "Decrypt Encrypt GetPublicKey ReEncryptFrom ReEncryptTo"),
        (.rsa4096, .signVerify, "GetPublicKey Sign Verify"),
        (.eccNistP256, .signVerify, "GetPublicKey Sign Verify"),
        (.mlDsa44, .signVerify, "GetPublicKey Sign Verify"),
        (.eccNistP384, .keyAgreement, "DeriveSharedSecret GetPublicKey"),
        (.hmac256, .generateVerifyMac, "GenerateMac VerifyMac"),
        (.mlKem768, .encapsulateDecapsulate, "Decapsulate Encapsulate GetPublicKey"),
    ])
    func `are those of the key's kind`(keySpec: KeySpec, usage: KeyUsageType, operations: String) {
        let valid = GrantRules.validOperations(for: keySpec, usage: usage)
            .subtracting([.createGrant, .retireGrant, .describeKey])
        #expect(valid.map(\.rawValue).sorted().joined(separator: " ") == operations)
    }
}
