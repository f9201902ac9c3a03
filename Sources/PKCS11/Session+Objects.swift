internal import CPKCS11

extension Session {
    /// C_GenerateKey.
    public mutating func generateKey(
        _ mechanism: MechanismType, _ template: [Attribute]
    ) throws(PKCS11Error) -> ObjectHandle {
        var mechanism = unsafe CK_MECHANISM(mechanism: mechanism.rawValue, pParameter: nil, ulParameterLen: 0)
        var object: CK_OBJECT_HANDLE = 0
        let arena = AttributeArena(template)
        try call(.generateKey) { list in
            unsafe arena.withAttributes { unsafe list.C_GenerateKey?(handle, &mechanism, $0, $1, &object) }
        }
        return ObjectHandle(rawValue: object, epoch: epoch)
    }

    /// C_GenerateKeyPair. Each half has a template of its own; CKA_TOKEN may differ between them.
    public mutating func generateKeyPair(
        _ mechanism: MechanismType, publicKey: [Attribute], privateKey: [Attribute]
    ) throws(PKCS11Error) -> (publicKey: ObjectHandle, privateKey: ObjectHandle) {
        var mechanism = unsafe CK_MECHANISM(mechanism: mechanism.rawValue, pParameter: nil, ulParameterLen: 0)
        var (publicObject, privateObject): (CK_OBJECT_HANDLE, CK_OBJECT_HANDLE) = (0, 0)
        let publicArena = AttributeArena(publicKey)
        let privateArena = AttributeArena(privateKey)
        try call(.generateKeyPair) { list in
            unsafe publicArena.withAttributes { publicAttributes, publicCount in
                unsafe privateArena.withAttributes { privateAttributes, privateCount in
                    unsafe list.C_GenerateKeyPair?(
                        handle, &mechanism, publicAttributes, publicCount, privateAttributes, privateCount,
                        &publicObject, &privateObject)
                }
            }
        }
        return (
            ObjectHandle(rawValue: publicObject, epoch: epoch), ObjectHandle(rawValue: privateObject, epoch: epoch)
        )
    }

    /// C_CreateObject.
    public mutating func createObject(_ template: [Attribute]) throws(PKCS11Error) -> ObjectHandle {
        var object: CK_OBJECT_HANDLE = 0
        let arena = AttributeArena(template)
        try call(.createObject) { list in
            unsafe arena.withAttributes { unsafe list.C_CreateObject?(handle, $0, $1, &object) }
        }
        return ObjectHandle(rawValue: object, epoch: epoch)
    }

    /// C_CopyObject. A session object that it makes dies with this session, though others may use it.
    public mutating func copyObject(
        _ object: ObjectHandle, _ template: [Attribute]
    ) throws(PKCS11Error) -> ObjectHandle {
        try require(object, for: .copyObject)
        var copy: CK_OBJECT_HANDLE = 0
        let arena = AttributeArena(template)
        try call(.copyObject) { list in
            unsafe arena.withAttributes { unsafe list.C_CopyObject?(handle, object.rawValue, $0, $1, &copy) }
        }
        return ObjectHandle(rawValue: copy, epoch: epoch)
    }

    /// C_DestroyObject.
    public mutating func destroyObject(_ object: ObjectHandle) throws(PKCS11Error) {
        try require(object, for: .destroyObject)
        try call(.destroyObject) { $0.C_DestroyObject?(handle, object.rawValue) }
    }

    /// C_GetAttributeValue. What the object lacks or may not show is nil in the answer, not an error.
    public mutating func attributes(
        of object: ObjectHandle, _ types: [AttributeType]
    ) throws(PKCS11Error) -> AttributeValues {
        try require(object, for: .getAttributeValue)
        // One call is enough for all that we read; only a longer label or ID than usual needs the second.
        var lengths = types.map(Self.usualLength)
        for _ in 0..<2 {
            let arena = AttributeArena(types: types, lengths: lengths)
            let result = readAttributes(of: object, into: arena)
            switch result {
            case .ok, .attributeSensitive, .attributeTypeInvalid:
                var values = AttributeValues()
                for index in types.indices {
                    guard let length = arena.writtenLength(at: index), length <= lengths[index] else { continue }
                    values.bytes[types[index]] = arena.bytes(at: index, length: length)
                }
                return values
            case .bufferTooSmall:
                // Ask for the lengths, with no room at all.
                let query = AttributeArena(types: types, lengths: types.map { _ in 0 })
                _ = readAttributes(of: object, into: query)
                lengths = types.indices.map { query.writtenLength(at: $0) ?? 0 }
            default:
                throw PKCS11Error(.getAttributeValue, result)
            }
        }
        throw PKCS11Error(.getAttributeValue, .bufferTooSmall)
    }

    /// Every object that matches, in the token's order. The search is linear on some tokens (22 µs for each object
    /// on SoftHSM): never on the path of a request.
    public mutating func findObjects(_ template: [Attribute]) throws(PKCS11Error) -> [ObjectHandle] {
        let arena = AttributeArena(template)
        try call(.findObjectsInit) { list in
            unsafe arena.withAttributes { unsafe list.C_FindObjectsInit?(handle, $0, $1) }
        }
        let found: Result<[ObjectHandle], PKCS11Error>
        do throws(PKCS11Error) {
            found = .success(try collectFoundObjects())
        } catch {
            found = .failure(error)
        }
        // A search left open gives the next one CKR_OPERATION_ACTIVE. What went wrong first is the error to tell.
        do throws(PKCS11Error) {
            try call(.findObjectsFinal) { $0.C_FindObjectsFinal?(handle) }
        } catch {
            _ = try found.get()
            throw error
        }
        return try found.get()
    }

    private func collectFoundObjects() throws(PKCS11Error) -> [ObjectHandle] {
        var found: [ObjectHandle] = []
        var batch = [CK_OBJECT_HANDLE](repeating: 0, count: 256)
        var count: CK_ULONG = 0
        repeat {
            try call(.findObjects) { list in
                unsafe batch.withUnsafeMutableBufferPointer {
                    unsafe list.C_FindObjects?(handle, $0.baseAddress, CK_ULONG($0.count), &count)
                }
            }
            guard count <= CK_ULONG(batch.count) else { throw PKCS11Error(.findObjects, .generalError) }
            found += batch.prefix(Int(count)).map { ObjectHandle(rawValue: $0, epoch: epoch) }
        } while count > 0
        return found
    }

    private func readAttributes(of object: ObjectHandle, into arena: borrowing AttributeArena) -> ReturnValue {
        do {
            try call(.getAttributeValue) { list in
                unsafe arena.withAttributes { unsafe list.C_GetAttributeValue?(handle, object.rawValue, $0, $1) }
            }
            return .ok
        } catch {
            return error.returnValue
        }
    }

    private static func usualLength(_ type: AttributeType) -> Int {
        switch type {
        case .objectClass, .keyType, .valueLength, .modulusBits: MemoryLayout<CK_ULONG>.size
        case .label, .id, .value, .modulus, .publicExponent, .privateExponent, .ecParameters, .ecPoint,
            .allowedMechanisms:
            512
        default: MemoryLayout<CK_BBOOL>.size
        }
    }
}
