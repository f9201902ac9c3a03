internal import CPKCS11

/// One slot of a module. Its number changes when tokens come and go: tokens are named by label or serial, never by it.
public struct Slot: Sendable, Hashable {
    let module: Module
    let id: UInt

    public static func == (left: Slot, right: Slot) -> Bool { left.module === right.module && left.id == right.id }

    public func hash(into hasher: inout Hasher) { hasher.combine(id) }

    /// C_GetTokenInfo.
    public func tokenInfo() throws(PKCS11Error) -> TokenInfo {
        try module.enter(.getTokenInfo)
        defer { module.leave() }
        var info = CK_TOKEN_INFO()
        try module.call(.getTokenInfo) { unsafe $0.C_GetTokenInfo?(id, &info) }
        return TokenInfo(info)
    }

    /// C_GetMechanismInfo. The list lies on several tokens, both ways: evidence is a known answer, not this.
    public func mechanismInfo(_ mechanism: MechanismType) throws(PKCS11Error) -> MechanismInfo {
        try module.enter(.getMechanismInfo)
        defer { module.leave() }
        // Zeroed: SoftHSM 2.6.1 ORs its flags into what it finds here.
        var info = CK_MECHANISM_INFO(ulMinKeySize: 0, ulMaxKeySize: 0, flags: 0)
        try module.call(.getMechanismInfo) { unsafe $0.C_GetMechanismInfo?(id, mechanism.rawValue, &info) }
        return MechanismInfo(smallestKey: info.ulMinKeySize, largestKey: info.ulMaxKeySize, flags: info.flags)
    }

    /// Whether C_OpenSession gives a read-only session too. The session is closed again.
    public func opensReadOnlySessions() throws(PKCS11Error) -> Bool {
        try module.enter(.openSession)
        defer { module.leave() }
        var handle: CK_SESSION_HANDLE = 0
        do throws(PKCS11Error) {
            try module.call(.openSession) { unsafe $0.C_OpenSession?(id, CKF_SERIAL_SESSION, nil, nil, &handle) }
        } catch {
            return false
        }
        try module.call(.closeSession) { $0.C_CloseSession?(handle) }
        return true
    }

    /// C_OpenSession, always read/write: some devices refuse read-only sessions (AWS CloudHSM), none refuses these.
    ///
    /// - Parameter epoch: the login that the session works in. A session opened after a login comes up logged in.
    public func openSession(epoch: LoginEpoch) throws(PKCS11Error) -> Session {
        try Session(slot: self, epoch: epoch)
    }
}

extension Module {
    /// The slots that hold a token now. Asks for the list anew, which lets modules notice new tokens.
    public func slotsWithToken() throws(PKCS11Error) -> [Slot] {
        try enter(.getSlotList)
        defer { leave() }
        // The number of slots can grow between the question and the answer (PKCS#11 v3.1 §5.5, C_GetSlotList).
        for _ in 0..<4 {
            if let ids = try slotIDsWithToken() { return ids.map { Slot(module: self, id: $0) } }
        }
        throw PKCS11Error(.getSlotList, .bufferTooSmall)
    }

    /// Nil when the list grew meanwhile.
    private func slotIDsWithToken() throws(PKCS11Error) -> [CK_SLOT_ID]? {
        var count: CK_ULONG = 0
        try call(.getSlotList) { unsafe $0.C_GetSlotList?(CK_BBOOL(CK_TRUE), nil, &count) }
        guard count <= Self.mostSlots else { throw PKCS11Error(.getSlotList, .generalError) }
        var ids = [CK_SLOT_ID](repeating: 0, count: Int(count))
        do throws(PKCS11Error) {
            try call(.getSlotList) { list in
                unsafe ids.withUnsafeMutableBufferPointer {
                    unsafe list.C_GetSlotList?(CK_BBOOL(CK_TRUE), $0.baseAddress, &count)
                }
            }
        } catch {
            if error.returnValue == .bufferTooSmall { return nil }
            throw error
        }
        return Array(ids.prefix(Int(min(count, CK_ULONG(ids.count)))))
    }

    /// No module has more; one that says so is not believed.
    private static let mostSlots: CK_ULONG = 4096
}

/// CK_TOKEN_INFO, its padding removed.
public struct TokenInfo: Sendable {
    public let label: String
    public let serialNumber: String
    public let manufacturer: String
    public let model: String
    /// Major and minor number.
    public let firmwareVersion: String
    /// In bytes; nil when the token does not say.
    public let freePrivateMemory: Int?
    public let totalPrivateMemory: Int?
    /// Nil when the token does not say or does not limit them.
    public let maximumSessions: Int?

    public let isInitialized: Bool
    public let isUserPINInitialized: Bool
    public let isUserPINCountLow: Bool
    /// One more wrong PIN locks it.
    public let isUserPINFinalTry: Bool
    public let isUserPINLocked: Bool
    /// It works, and the device wants another.
    public let isUserPINToBeChanged: Bool
    /// The PIN can be given on the token itself.
    public let hasPINPad: Bool

    init(_ info: CK_TOKEN_INFO) {
        label = unpadded(info.label)
        serialNumber = unpadded(info.serialNumber)
        manufacturer = unpadded(info.manufacturerID)
        model = unpadded(info.model)
        firmwareVersion = "\(info.firmwareVersion.major).\(info.firmwareVersion.minor)"
        freePrivateMemory = Self.byteCount(info.ulFreePrivateMemory)
        totalPrivateMemory = Self.byteCount(info.ulTotalPrivateMemory)
        // 0 is CK_EFFECTIVELY_INFINITE and all ones CK_UNAVAILABLE_INFORMATION.
        maximumSessions = [info.ulMaxSessionCount, info.ulMaxRwSessionCount]
            .filter { (count: CK_ULONG) in count != 0 && count < 1 << 30 }.min().map { Int($0) }
        isInitialized = info.flags & CKF_TOKEN_INITIALIZED != 0
        isUserPINInitialized = info.flags & CKF_USER_PIN_INITIALIZED != 0
        isUserPINCountLow = info.flags & CKF_USER_PIN_COUNT_LOW != 0
        isUserPINFinalTry = info.flags & CKF_USER_PIN_FINAL_TRY != 0
        isUserPINLocked = info.flags & CKF_USER_PIN_LOCKED != 0
        isUserPINToBeChanged = info.flags & CKF_USER_PIN_TO_BE_CHANGED != 0
        hasPINPad = info.flags & CKF_PROTECTED_AUTHENTICATION_PATH != 0
    }

    /// All ones is CK_UNAVAILABLE_INFORMATION; NSS softoken always says 1.
    private static func byteCount(_ count: CK_ULONG) -> Int? {
        [1, CK_ULONG.max].contains(count) ? nil : Int(clamping: count)
    }
}

/// CK_MECHANISM_INFO. Key sizes are bits or bytes at the module's whim: for reports only.
public struct MechanismInfo: Sendable {
    public let smallestKey: UInt
    public let largestKey: UInt
    public let flags: UInt
}
