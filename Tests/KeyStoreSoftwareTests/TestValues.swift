import KMSModel
import KeyStores
import SecureMemory

extension SecretBytes {
    convenience init(_ bytes: [UInt8]) { self.init(copying: bytes.span) }

    var copy: [UInt8] { withBytes { span in span.indices.map { span[$0] } } }

    func holds(_ bytes: [UInt8]) -> Bool { withBytes { constantTimeEquals($0, bytes.span) } }
}

extension KeyGeneration {
    static func fresh(
        keySpec: KeySpec = .symmetricDefault, keyUsage: KeyUsageType = .encryptDecrypt, kmsKeyID: String = "key"
    ) -> KeyGeneration {
        var generator = SystemRandomNumberGenerator()
        return KeyGeneration(
            id: BackingKeyID(randomFrom: &generator), keySpec: keySpec, keyUsage: keyUsage, kmsKeyID: kmsKeyID,
            label: "label")
    }
}
