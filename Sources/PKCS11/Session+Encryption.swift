internal import CPKCS11
public import SecureMemory

extension Session {
    /// C_EncryptInit and C_Encrypt in one part. What the token writes into the parameter (an IV) stands in
    /// `mechanism` afterwards.
    ///
    /// After an error the session may still have the operation active: unless the code is a caller's fault, close it.
    public mutating func encrypt(
        _ plaintext: Span<UInt8>, _ mechanism: inout Mechanism, key: ObjectHandle
    ) throws(PKCS11Error) -> [UInt8] {
        try require(key, for: .encryptInit)
        let capacity = plaintext.count + mechanism.outputOverhead
        var output = [UInt8](repeating: 0, count: capacity)
        var length = CK_ULONG(capacity)
        let result = unsafe mechanism.withUnsafeMechanism { mechanism -> Result<Void, PKCS11Error> in
            do throws(PKCS11Error) {
                try call(.encryptInit) { unsafe $0.C_EncryptInit?(handle, mechanism, key.rawValue) }
                // The parameter must outlive both calls: tokens that make the IV write it in either.
                try call(.encrypt) { list in
                    unsafe plaintext.withUnsafeBufferPointer { input in
                        unsafe output.withUnsafeMutableBufferPointer { output in
                            unsafe list.C_Encrypt?(
                                handle, UnsafeMutablePointer(mutating: input.baseAddress), CK_ULONG(input.count),
                                output.baseAddress, &length)
                        }
                    }
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        guard length <= CK_ULONG(capacity) else { throw PKCS11Error(.encrypt, .generalError) }
        output.removeLast(capacity - Int(length))
        return output
    }

    /// C_DecryptInit and C_Decrypt in one part. See `encrypt` for the session after an error.
    public mutating func decrypt(
        _ ciphertext: Span<UInt8>, _ mechanism: Mechanism, key: ObjectHandle
    ) throws(PKCS11Error) -> SecretBytes {
        try require(key, for: .decryptInit)
        var mechanism = mechanism
        let capacity = ciphertext.count + mechanism.outputOverhead
        return try SecretBytes(capacity: capacity) { output throws(PKCS11Error) in
            try unsafe output.withUnsafeMutableBufferPointer { output, written throws(PKCS11Error) in
                var length = CK_ULONG(capacity)
                let result = unsafe mechanism.withUnsafeMechanism { mechanism -> Result<Void, PKCS11Error> in
                    do throws(PKCS11Error) {
                        try call(.decryptInit) { unsafe $0.C_DecryptInit?(handle, mechanism, key.rawValue) }
                        try call(.decrypt) { list in
                            unsafe ciphertext.withUnsafeBufferPointer { input in
                                unsafe list.C_Decrypt?(
                                    handle, UnsafeMutablePointer(mutating: input.baseAddress), CK_ULONG(input.count),
                                    output.baseAddress, &length)
                            }
                        }
                        return .success(())
                    } catch {
                        return .failure(error)
                    }
                }
                try result.get()
                guard length <= CK_ULONG(capacity) else { throw PKCS11Error(.decrypt, .generalError) }
                written = Int(length)
            }
        }
    }
}
