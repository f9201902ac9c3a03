internal import CPKCS11
public import SecureMemory

extension Session {
    /// Longer than every signature and code that is made here: RSA with a modulus of 8192 bits.
    private static let longestSignature = 1024

    /// C_SignInit and C_Sign in one part: signatures and message authentication codes.
    ///
    /// The length is not asked for: the question would cost a round trip, and the answer ends the operation on some
    /// tokens. After an error the session may still have the operation active: unless the code is a caller's fault,
    /// close it.
    public mutating func sign(
        _ input: Span<UInt8>, _ mechanism: Mechanism, key: ObjectHandle
    ) throws(PKCS11Error) -> [UInt8] {
        try require(key, for: .signInit)
        var mechanism = mechanism
        var output = [UInt8](repeating: 0, count: Self.longestSignature)
        var length = CK_ULONG(output.count)
        let result = unsafe mechanism.withUnsafeMechanism { mechanism -> Result<Void, PKCS11Error> in
            do throws(PKCS11Error) {
                try call(.signInit) { unsafe $0.C_SignInit?(handle, mechanism, key.rawValue) }
                try call(.sign) { list in
                    unsafe input.withUnsafeBufferPointer { input in
                        unsafe output.withUnsafeMutableBufferPointer { output in
                            unsafe list.C_Sign?(
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
        guard length <= CK_ULONG(output.count) else { throw PKCS11Error(.sign, .generalError) }
        output.removeLast(output.count - Int(length))
        return output
    }

    /// C_DeriveKey.
    public mutating func deriveKey(
        _ mechanism: Mechanism, from key: ObjectHandle, _ template: [Attribute]
    ) throws(PKCS11Error) -> ObjectHandle {
        try require(key, for: .deriveKey)
        var mechanism = mechanism
        var object: CK_OBJECT_HANDLE = 0
        let arena = AttributeArena(template)
        let result = unsafe mechanism.withUnsafeMechanism { mechanism -> Result<Void, PKCS11Error> in
            do throws(PKCS11Error) {
                try call(.deriveKey) { list in
                    unsafe arena.withAttributes {
                        unsafe list.C_DeriveKey?(handle, mechanism, key.rawValue, $0, $1, &object)
                    }
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return ObjectHandle(rawValue: object, epoch: epoch)
    }

    /// C_UnwrapKey.
    public mutating func unwrapKey(
        _ wrapped: Span<UInt8>, _ mechanism: Mechanism, with key: ObjectHandle, _ template: [Attribute]
    ) throws(PKCS11Error) -> ObjectHandle {
        try require(key, for: .unwrapKey)
        var mechanism = mechanism
        var object: CK_OBJECT_HANDLE = 0
        let arena = AttributeArena(template)
        let result = unsafe mechanism.withUnsafeMechanism { mechanism -> Result<Void, PKCS11Error> in
            do throws(PKCS11Error) {
                try call(.unwrapKey) { list in
                    unsafe wrapped.withUnsafeBufferPointer { wrapped in
                        unsafe arena.withAttributes {
                            unsafe list.C_UnwrapKey?(
                                handle, mechanism, key.rawValue, UnsafeMutablePointer(mutating: wrapped.baseAddress),
                                CK_ULONG(wrapped.count), $0, $1, &object)
                        }
                    }
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return ObjectHandle(rawValue: object, epoch: epoch)
    }

    /// CKA_VALUE of an object that was made to be read, such as a derived secret.
    ///
    /// - Parameter longest: a longer value is an error.
    public mutating func secretValue(
        of object: ObjectHandle, longest: Int
    ) throws(PKCS11Error) -> SecretBytes {
        try require(object, for: .getAttributeValue)
        let arena = AttributeArena(types: [.value], lengths: [longest])
        try call(.getAttributeValue) { list in
            unsafe arena.withAttributes { unsafe list.C_GetAttributeValue?(handle, object.rawValue, $0, $1) }
        }
        guard let length = arena.writtenLength(at: 0), length <= longest else {
            throw PKCS11Error(.getAttributeValue, .bufferTooSmall)
        }
        return arena.secret(at: 0, length: length)
    }
}
