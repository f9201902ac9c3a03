internal import CPKCS11

extension Session {
    /// The longest wrapping there is: an RSA-4096 private key with room to spare.
    private static let longestWrapping = 1 << 14

    /// C_WrapKey: `key` leaves the token encrypted under `wrappingKey`, if it may leave at all.
    ///
    /// Look at CKA_EXTRACTABLE first: NSS softoken wraps keys that are not extractable.
    public mutating func wrapKey(
        _ key: ObjectHandle, with wrappingKey: ObjectHandle, _ mechanism: Mechanism
    ) throws(PKCS11Error) -> [UInt8] {
        try require(key, for: .wrapKey)
        try require(wrappingKey, for: .wrapKey)
        var mechanism = mechanism
        var output = [UInt8](repeating: 0, count: Self.longestWrapping)
        var length = CK_ULONG(output.count)
        let result = unsafe mechanism.withUnsafeMechanism { mechanism -> Result<Void, PKCS11Error> in
            do throws(PKCS11Error) {
                try call(.wrapKey) { list in
                    unsafe output.withUnsafeMutableBufferPointer { output in
                        unsafe list.C_WrapKey?(
                            handle, mechanism, wrappingKey.rawValue, key.rawValue, output.baseAddress, &length)
                    }
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        guard length <= CK_ULONG(output.count) else { throw PKCS11Error(.wrapKey, .generalError) }
        return Array(output.prefix(Int(length)))
    }
}
