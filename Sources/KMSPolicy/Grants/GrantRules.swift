public import KMSModel

/// Which grants a KMS key may have.
public enum GrantRules {
    /// The operations that a grant on a key of this kind may name; CreateGrant answers ValidationException to others.
    ///
    /// Source: KMS Developer Guide, "Grants in AWS KMS" (grant operations); "Key type reference".
    public static func validOperations(for keySpec: KeySpec, usage: KeyUsageType) -> Set<GrantOperation> {
        let always: Set<GrantOperation> = [.createGrant, .retireGrant, .describeKey]
        return always.union(cryptographicOperations(for: keySpec, usage: usage))
    }

    private static func cryptographicOperations(
        for keySpec: KeySpec, usage: KeyUsageType
    ) -> Set<GrantOperation> {
        switch usage {
        case .encryptDecrypt where keySpec == .symmetricDefault:
            [
                .encrypt, .decrypt, .reEncryptFrom, .reEncryptTo, .generateDataKey, .generateDataKeyWithoutPlaintext,
                .generateDataKeyPair, .generateDataKeyPairWithoutPlaintext,
            ]
        case .encryptDecrypt: [.encrypt, .decrypt, .reEncryptFrom, .reEncryptTo, .getPublicKey]
        case .signVerify: [.sign, .verify, .getPublicKey]
        case .generateVerifyMac: [.generateMac, .verifyMac]
        case .keyAgreement: [.deriveSharedSecret, .getPublicKey]
        case .encapsulateDecapsulate: [.encapsulate, .decapsulate, .getPublicKey]
        }
    }
}
