internal import CPKCS11
public import SecureMemory

/// An open session. It is owned by one caller at a time, and the compiler proves it: the type is neither copyable nor
/// Sendable, and every operation is `mutating`, so that two can never be under way in one session.
///
/// Two threads in one session end the whole process on several modules, CKF_OS_LOCKING_OK or not.
public struct Session: ~Copyable {
    public let slot: Slot
    public private(set) var epoch: LoginEpoch
    let handle: CK_SESSION_HANDLE
    private var isOpen: Bool

    var module: Module { slot.module }

    init(slot: Slot, epoch: LoginEpoch) throws(PKCS11Error) {
        try slot.module.enter(.openSession)
        var handle: CK_SESSION_HANDLE = 0
        do {
            try slot.module.call(.openSession) {
                unsafe $0.C_OpenSession?(slot.id, CKF_SERIAL_SESSION | CKF_RW_SESSION, nil, nil, &handle)
            }
        } catch {
            slot.module.leave()
            throw error
        }
        self.slot = slot
        self.epoch = epoch
        self.handle = handle
        self.isOpen = true
    }

    /// C_CloseSession. Dropping the session closes it too; this one tells whether it went well.
    public consuming func close() throws(PKCS11Error) {
        isOpen = false
        defer { slot.module.leave() }
        try call(.closeSession) { $0.C_CloseSession?(handle) }
    }

    deinit {
        guard isOpen else { return }
        // A deinit cannot throw; a session that does not close is the module's loss, not ours.
        try? slot.module.call(.closeSession) { $0.C_CloseSession?(handle) }
        slot.module.leave()
    }

    /// C_Login as the normal user, for the whole process and token. Begins a new epoch, which this session joins.
    ///
    /// Never call it again with a PIN that was refused: tokens lock or erase themselves.
    public mutating func login(_ pin: SecretBytes) throws(PKCS11Error) {
        try pin.withBytes { pin throws(PKCS11Error) in
            try call(.login) { list in
                unsafe pin.withUnsafeBufferPointer { pin in
                    // C takes the PIN by a pointer to mutable bytes and does not change them (C_Login, §5.6).
                    unsafe list.C_Login?(
                        handle, CKU_USER, UnsafeMutablePointer(mutating: pin.baseAddress), CK_ULONG(pin.count))
                }
            }
        }
        epoch = LoginEpoch()
    }

    /// C_Logout, for the whole process and token. Every handle of this epoch is void afterwards.
    public mutating func logout() throws(PKCS11Error) {
        defer { epoch = LoginEpoch() }
        try call(.logout) { $0.C_Logout?(handle) }
    }

    /// C_GetSessionInfo: refuses a session that is not logged in any more. Without a login a search finds no private
    /// object, as if there were none (PKCS#11 v3.1 §4.4): nothing must be concluded from that.
    public mutating func requireLogin() throws(PKCS11Error) {
        var info = CK_SESSION_INFO()
        try call(.getSessionInfo) { unsafe $0.C_GetSessionInfo?(handle, &info) }
        guard info.state == CKS_RW_USER_FUNCTIONS || info.state == CKS_RO_USER_FUNCTIONS else {
            throw PKCS11Error(.getSessionInfo, .userNotLoggedIn)
        }
    }

    /// C_GenerateRandom.
    public mutating func generateRandom(_ count: Int) throws(PKCS11Error) -> SecretBytes {
        try SecretBytes(capacity: count) { output throws(PKCS11Error) in
            try unsafe output.withUnsafeMutableBufferPointer { buffer, written throws(PKCS11Error) in
                try call(.generateRandom) {
                    unsafe $0.C_GenerateRandom?(handle, buffer.baseAddress, CK_ULONG(buffer.count))
                }
                written = buffer.count
            }
        }
    }

    func call(_ function: CryptokiFunction, _ body: (borrowing CK_FUNCTION_LIST) -> CK_RV?) throws(PKCS11Error) {
        try slot.module.call(function, body)
    }

    /// Refuses a handle that belongs to another login, without asking the token.
    func require(_ object: ObjectHandle, for function: CryptokiFunction) throws(PKCS11Error) {
        guard object.epoch == epoch else { throw PKCS11Error(function, .objectHandleInvalid) }
    }
}
