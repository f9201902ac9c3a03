import SecureMemory

// What must not be secret in a test.
extension SecretBytes {
    var revealed: [UInt8] {
        withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }

    convenience init(_ bytes: [UInt8]) {
        self.init(copying: bytes.span)
    }
}
