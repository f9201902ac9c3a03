public import SecureMemory

extension PrivateKey {
    /// Parses a private key as tools write it: PrivateKeyInfo, RSAPrivateKey (RFC 8017 §A.1.2, "PKCS#1") or
    /// ECPrivateKey (RFC 5915, "SEC 1"), DER, not encrypted. Checked as `init(imported:kind:)` does.
    public convenience init(importedDER der: SecretBytes, kind: AsymmetricKeyKind) throws(CryptographyError) {
        try self.init(imported: Self.isTraditional(der) ? Self.privateKeyInfo(around: der, kind) : der, kind: kind)
    }

    /// All three forms are a sequence that begins with a version; in PrivateKeyInfo a sequence follows it, the
    /// AlgorithmIdentifier, in the traditional forms the modulus or the scalar.
    private static func isTraditional(_ der: SecretBytes) -> Bool {
        der.withBytes { der in
            guard DER.isOneSequence(der) else { return false }
            let contents = der[1] < 0x80 ? 2 : 2 + Int(der[1] & 0x7f)
            // INTEGER, one byte long.
            guard der.count > contents + 3, der[contents] == 0x02, der[contents + 1] == 1 else { return false }
            return der[contents + 3] != DER.sequence
        }
    }

    private static func privateKeyInfo(around der: SecretBytes, _ kind: AsymmetricKeyKind) -> SecretBytes {
        let head = [0x02, 0x01, 0x00] + kind.algorithmIdentifier + DER.header(DER.octetString, der.count)
        let prefix = DER.header(DER.sequence, head.count + der.count) + head
        return SecretBytes(capacity: prefix.count + der.count) { output in
            for byte in prefix { output.append(byte) }
            der.withBytes { der in
                for index in der.indices { output.append(der[index]) }
            }
        }
    }
}
