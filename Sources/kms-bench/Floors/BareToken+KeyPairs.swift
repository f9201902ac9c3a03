internal import CPKCS11

// Signatures, codes and agreement, by the mechanisms that the server uses.
extension BareToken {
    /// prime256v1 (RFC 5480 §2.1.1.1).
    private static let p256: [UInt8] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]

    /// The private half, for one use.
    func generateP256(for usage: UInt) throws -> CK_OBJECT_HANDLE {
        try generatePair(CKM_EC_KEY_PAIR_GEN, [(CKA_EC_PARAMS, .bytes(Self.p256))], for: usage)
    }

    func generateRSA2048() throws -> CK_OBJECT_HANDLE {
        try generatePair(
            CKM_RSA_PKCS_KEY_PAIR_GEN,
            [(CKA_MODULUS_BITS, .number(2048)), (CKA_PUBLIC_EXPONENT, .bytes([1, 0, 1]))], for: CKA_SIGN)
    }

    func generateHMAC256() throws -> CK_OBJECT_HANDLE {
        let template = BareTemplate(BareTemplate.secret + [(CKA_SIGN, .flag(true)), (CKA_VALUE_LEN, .number(32))])
        return try Self.generateKey(CKM_GENERIC_SECRET_KEY_GEN, template, functions, session)
    }

    private func generatePair(
        _ mechanism: UInt, _ publicAttributes: [(UInt, BareTemplate.Value)], for usage: UInt
    ) throws -> CK_OBJECT_HANDLE {
        let publicTemplate = BareTemplate([(CKA_TOKEN, .flag(false))] + publicAttributes)
        let privateTemplate = BareTemplate(BareTemplate.secret + [(usage, .flag(true))])
        var publicKey: CK_OBJECT_HANDLE = 0
        var privateKey: CK_OBJECT_HANDLE = 0
        let result = unsafe publicTemplate.withAttributes { publicTemplate, publicCount in
            unsafe privateTemplate.withAttributes { privateTemplate, privateCount in
                var mechanism = unsafe CK_MECHANISM(mechanism: mechanism, pParameter: nil, ulParameterLen: 0)
                return unsafe functions.C_GenerateKeyPair(
                    session, &mechanism, publicTemplate, publicCount, privateTemplate, privateCount, &publicKey,
                    &privateKey)
            }
        }
        try Self.check("C_GenerateKeyPair", result)
        return privateKey
    }

    /// C_SignInit and C_Sign with CKM_ECDSA.
    func signECDSA(_ digest: [UInt8], _ key: CK_OBJECT_HANDLE) throws -> [UInt8] {
        var mechanism = unsafe CK_MECHANISM(mechanism: CKM_ECDSA, pParameter: nil, ulParameterLen: 0)
        return try unsafe sign(digest, &mechanism, key)
    }

    /// C_SignInit and C_Sign with CKM_RSA_PKCS_PSS.
    func signPSS(_ digest: [UInt8], _ key: CK_OBJECT_HANDLE) throws -> [UInt8] {
        var parameters = CK_RSA_PKCS_PSS_PARAMS(hashAlg: CKM_SHA256, mgf: CKG_MGF1_SHA256, sLen: 32)
        return try unsafe withUnsafeMutablePointer(to: &parameters) { parameters in
            var mechanism = unsafe CK_MECHANISM(
                mechanism: CKM_RSA_PKCS_PSS, pParameter: parameters,
                ulParameterLen: CK_ULONG(MemoryLayout<CK_RSA_PKCS_PSS_PARAMS>.size))
            return try unsafe sign(digest, &mechanism, key)
        }
    }

    /// C_SignInit and C_Sign with CKM_SHA256_HMAC.
    func authenticate(_ message: [UInt8], _ key: CK_OBJECT_HANDLE) throws -> [UInt8] {
        var mechanism = unsafe CK_MECHANISM(mechanism: CKM_SHA256_HMAC, pParameter: nil, ulParameterLen: 0)
        return try unsafe sign(message, &mechanism, key)
    }

    private func sign(
        _ input: [UInt8], _ mechanism: UnsafeMutablePointer<CK_MECHANISM>, _ key: CK_OBJECT_HANDLE
    ) throws -> [UInt8] {
        var input = input
        var output = [UInt8](repeating: 0, count: 512)
        var count = CK_ULONG(output.count)
        let inputCount = CK_ULONG(input.count)
        try unsafe Self.check("C_SignInit", functions.C_SignInit(session, mechanism, key))
        try Self.check("C_Sign", unsafe functions.C_Sign(session, &input, inputCount, &output, &count))
        output.removeLast(output.count - Int(count))
        return output
    }

    /// C_DeriveKey with CKM_ECDH1_DERIVE and CKD_NULL, the secret read with C_GetAttributeValue, and C_DestroyObject.
    func agree(with point: [UInt8], _ key: CK_OBJECT_HANDLE) throws -> [UInt8] {
        let template = BareTemplate([
            (CKA_CLASS, .number(CKO_SECRET_KEY)), (CKA_KEY_TYPE, .number(CKK_GENERIC_SECRET)),
            (CKA_TOKEN, .flag(false)), (CKA_SENSITIVE, .flag(false)), (CKA_EXTRACTABLE, .flag(true)),
            (CKA_VALUE_LEN, .number(32)),
        ])
        var point = point
        var secret: CK_OBJECT_HANDLE = 0
        let result = unsafe point.withUnsafeMutableBufferPointer { point in
            var parameters = unsafe CK_ECDH1_DERIVE_PARAMS(
                kdf: CKD_NULL, ulSharedDataLen: 0, pSharedData: nil, ulPublicDataLen: CK_ULONG(point.count),
                pPublicData: point.baseAddress)
            return unsafe withUnsafeMutablePointer(to: &parameters) { parameters in
                var mechanism = unsafe CK_MECHANISM(
                    mechanism: CKM_ECDH1_DERIVE, pParameter: parameters,
                    ulParameterLen: CK_ULONG(MemoryLayout<CK_ECDH1_DERIVE_PARAMS>.size))
                return unsafe template.withAttributes { attributes, count in
                    unsafe functions.C_DeriveKey(session, &mechanism, key, attributes, count, &secret)
                }
            }
        }
        try Self.check("C_DeriveKey", result)
        var value = [UInt8](repeating: 0, count: 32)
        let read = unsafe value.withUnsafeMutableBytes { value in
            var attribute = unsafe CK_ATTRIBUTE(
                type: CKA_VALUE, pValue: value.baseAddress, ulValueLen: CK_ULONG(value.count))
            return unsafe functions.C_GetAttributeValue(session, secret, &attribute, 1)
        }
        try Self.check("C_GetAttributeValue", read)
        try Self.check("C_DestroyObject", functions.C_DestroyObject(session, secret))
        return value
    }
}
