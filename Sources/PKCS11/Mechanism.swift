internal import CPKCS11

/// A CK_MECHANISM_TYPE.
public struct MechanismType: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt

    public init(rawValue: UInt) {
        self.rawValue = rawValue
    }

    public static let aesKeyGeneration = MechanismType(rawValue: CKM_AES_KEY_GEN)
    public static let aesECB = MechanismType(rawValue: CKM_AES_ECB)
    public static let aesGCM = MechanismType(rawValue: CKM_AES_GCM)
}

/// A mechanism and its parameter. The parameter owns its buffers; the token may write into the IV of GCM.
public enum Mechanism: Sendable {
    case aesECB
    case aesGCM(GCMParameters)

    /// How much longer than the input the output can be: the tag and, on tokens that append it, an IV of 16 bytes.
    ///
    /// Lengths are never asked for: the length query for GCM answers too little on NSS softoken, whose
    /// CKR_BUFFER_TOO_SMALL then ends the operation, and SoftHSM wants room for the tag in decryption too.
    var outputOverhead: Int {
        switch self {
        case .aesECB: 0
        case .aesGCM(let parameters): parameters.tagBits / 8 + 16
        }
    }

    /// Lends the mechanism as C wants it, and keeps what the token wrote into it.
    mutating func withUnsafeMechanism<R>(_ body: (UnsafeMutablePointer<CK_MECHANISM>) -> R) -> R {
        switch self {
        case .aesECB:
            var mechanism = unsafe CK_MECHANISM(mechanism: CKM_AES_ECB, pParameter: nil, ulParameterLen: 0)
            return unsafe withUnsafeMutablePointer(to: &mechanism) { unsafe body($0) }
        case .aesGCM(var parameters):
            defer { self = .aesGCM(parameters) }
            return unsafe parameters.withUnsafeMechanism(body)
        }
    }
}

/// CK_GCM_PARAMS (PKCS#11 v3.1 §6.13.3).
public struct GCMParameters: Sendable {
    /// Given by the caller, or zeros that the token overwrites: that is the profile's business, not this type's.
    public var iv: [UInt8]
    public let associatedData: [UInt8]
    public let tagBits: Int

    public init(iv: [UInt8], associatedData: [UInt8], tagBits: Int = 128) {
        self.iv = iv
        self.associatedData = associatedData
        self.tagBits = tagBits
    }

    fileprivate mutating func withUnsafeMechanism<R>(_ body: (UnsafeMutablePointer<CK_MECHANISM>) -> R) -> R {
        let associatedData = associatedData
        let tagBits = CK_ULONG(self.tagBits)
        return unsafe iv.withUnsafeMutableBufferPointer { iv in
            unsafe associatedData.withUnsafeBufferPointer { associatedData in
                // ulIvBits is not redundant: NSS refuses 0 there and Luna needs it for decryption.
                var parameters = unsafe CK_GCM_PARAMS(
                    pIv: iv.baseAddress, ulIvLen: CK_ULONG(iv.count), ulIvBits: CK_ULONG(iv.count * 8),
                    pAAD: associatedData.isEmpty ? nil : UnsafeMutablePointer(mutating: associatedData.baseAddress),
                    ulAADLen: CK_ULONG(associatedData.count), ulTagBits: tagBits)
                return unsafe withUnsafeMutablePointer(to: &parameters) { parameters in
                    var mechanism = unsafe CK_MECHANISM(
                        mechanism: CKM_AES_GCM, pParameter: parameters,
                        ulParameterLen: CK_ULONG(MemoryLayout<CK_GCM_PARAMS>.size))
                    return unsafe withUnsafeMutablePointer(to: &mechanism) { unsafe body($0) }
                }
            }
        }
    }
}
