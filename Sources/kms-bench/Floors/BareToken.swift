internal import CPKCS11

/// One session on a token, called through the module's function list with nothing between, and one key for each
/// operation.
///
/// The keys are made as the server makes its keys: token objects, private, sensitive and not extractable.
@safe
struct BareToken {
    let functions: CK_FUNCTION_LIST
    let session: CK_SESSION_HANDLE
    private let key: CK_OBJECT_HANDLE
    private let iv = [UInt8](repeating: 1, count: 12)
    private let tagByteCount = 16

    /// Initialises the first token of the module, which erases it, and makes an AES-256 key on it.
    init(module: String) throws {
        guard let list = unsafe strongroom_pkcs11_load(module, nil, 0) else {
            throw BenchmarkError("\(module) does not load")
        }
        let functions = unsafe list.pointee
        try unsafe Self.check("C_Initialize", strongroom_pkcs11_initialize(list, nil))
        var slot: CK_SLOT_ID = 0
        var count: CK_ULONG = 1
        try Self.check("C_GetSlotList", unsafe functions.C_GetSlotList(CK_BBOOL(CK_TRUE), &slot, &count))
        var pin = Array("1234".utf8)
        var label = [UInt8](repeating: UInt8(ascii: " "), count: 32)
        let pinCount = CK_ULONG(pin.count)
        try Self.check("C_InitToken", unsafe functions.C_InitToken(slot, &pin, pinCount, &label))
        var session: CK_SESSION_HANDLE = 0
        let flags = CK_FLAGS(CKF_SERIAL_SESSION | CKF_RW_SESSION)
        try Self.check("C_OpenSession", unsafe functions.C_OpenSession(slot, flags, nil, nil, &session))
        let officer = CK_USER_TYPE(CKU_SO)
        try Self.check("C_Login", unsafe functions.C_Login(session, officer, &pin, pinCount))
        try Self.check("C_InitPIN", unsafe functions.C_InitPIN(session, &pin, pinCount))
        try Self.check("C_Logout", functions.C_Logout(session))
        let user = CK_USER_TYPE(CKU_USER)
        try Self.check("C_Login", unsafe functions.C_Login(session, user, &pin, pinCount))
        self.session = session
        self.functions = functions
        let template = BareTemplate(
            BareTemplate.secret + [
                (CKA_ENCRYPT, .flag(true)), (CKA_DECRYPT, .flag(true)), (CKA_VALUE_LEN, .number(32)),
            ])
        key = try Self.generateKey(CKM_AES_KEY_GEN, template, functions, session)
    }

    static func generateKey(
        _ mechanism: UInt, _ template: BareTemplate, _ functions: CK_FUNCTION_LIST, _ session: CK_SESSION_HANDLE
    ) throws -> CK_OBJECT_HANDLE {
        var key: CK_OBJECT_HANDLE = 0
        let result = unsafe template.withAttributes { attributes, count in
            var mechanism = unsafe CK_MECHANISM(mechanism: mechanism, pParameter: nil, ulParameterLen: 0)
            return unsafe functions.C_GenerateKey(session, &mechanism, attributes, count, &key)
        }
        try check("C_GenerateKey", result)
        return key
    }

    /// C_EncryptInit and C_Encrypt with CKM_AES_GCM. The IV is the same every time: nothing here is secret.
    func encrypt(_ plaintext: [UInt8]) throws -> [UInt8] {
        var input = plaintext
        var output = [UInt8](repeating: 0, count: plaintext.count + tagByteCount)
        var count = CK_ULONG(output.count)
        let inputCount = CK_ULONG(input.count)
        try unsafe withMechanism { mechanism in
            try unsafe Self.check("C_EncryptInit", functions.C_EncryptInit(session, mechanism, key))
        }
        try Self.check("C_Encrypt", unsafe functions.C_Encrypt(session, &input, inputCount, &output, &count))
        return output
    }

    /// C_DecryptInit and C_Decrypt of what `encrypt` gave.
    func decrypt(_ ciphertext: [UInt8]) throws -> [UInt8] {
        var input = ciphertext
        var output = [UInt8](repeating: 0, count: ciphertext.count)
        var count = CK_ULONG(output.count)
        let inputCount = CK_ULONG(input.count)
        try unsafe withMechanism { mechanism in
            try unsafe Self.check("C_DecryptInit", functions.C_DecryptInit(session, mechanism, key))
        }
        try Self.check("C_Decrypt", unsafe functions.C_Decrypt(session, &input, inputCount, &output, &count))
        output.removeLast(output.count - Int(count))
        return output
    }

    /// SoftHSM copies the parameter in C_EncryptInit, so that it need not live longer, and does not write into it.
    private func withMechanism(_ body: (UnsafeMutablePointer<CK_MECHANISM>) throws -> Void) throws {
        let tagBits = CK_ULONG(tagByteCount * 8)
        try unsafe iv.withUnsafeBufferPointer { iv in
            var parameters = unsafe CK_GCM_PARAMS(
                pIv: UnsafeMutablePointer(mutating: iv.baseAddress), ulIvLen: CK_ULONG(iv.count),
                ulIvBits: CK_ULONG(iv.count * 8), pAAD: nil, ulAADLen: 0, ulTagBits: tagBits
            )
            try unsafe withUnsafeMutablePointer(to: &parameters) { parameters in
                var mechanism = unsafe CK_MECHANISM(
                    mechanism: CK_MECHANISM_TYPE(CKM_AES_GCM), pParameter: parameters,
                    ulParameterLen: CK_ULONG(MemoryLayout<CK_GCM_PARAMS>.size)
                )
                try unsafe withUnsafeMutablePointer(to: &mechanism) { try unsafe body($0) }
            }
        }
    }

    static func check(_ function: String, _ result: CK_RV) throws {
        guard result == CKR_OK else { throw BenchmarkError("\(function) answers 0x\(String(result, radix: 16))") }
    }
}
