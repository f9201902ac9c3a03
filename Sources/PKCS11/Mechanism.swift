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
    public static let genericSecretKeyGeneration = MechanismType(rawValue: CKM_GENERIC_SECRET_KEY_GEN)
    public static let rsaKeyPairGeneration = MechanismType(rawValue: CKM_RSA_PKCS_KEY_PAIR_GEN)
    public static let ecKeyPairGeneration = MechanismType(rawValue: CKM_EC_KEY_PAIR_GEN)
    public static let edwardsKeyPairGeneration = MechanismType(rawValue: CKM_EC_EDWARDS_KEY_PAIR_GEN)
}

/// The number under which a token has AES key wrap with padding (RFC 5649).
///
/// 0x210B is the standard's (PKCS#11 v3.0). 0x210A comes from drafts of version 2.40, and what it means differs: RFC
/// 5649 on SoftHSM, RFC 3394 over padded bytes on NSS. Only a known answer tells.
public enum KeyWrapNumber: Sendable, Hashable, CaseIterable {
    /// CKM_AES_KEY_WRAP_KWP.
    case kwp
    /// CKM_AES_KEY_WRAP_PAD.
    case pad
}

/// A mechanism and its parameter. The parameter owns its buffers; the token may write into the IV of GCM.
public enum Mechanism: Sendable {
    case aesECB
    case aesGCM(GCMParameters)
    /// PKCS#1 v1.5. For a signature, the input is the DER DigestInfo (RFC 8017 §9.2), made by the caller.
    case rsaPKCS
    /// PSS over a digest that the caller made with `hash`; MGF1 with the same hash.
    case rsaPSS(hash: MechanismHash, saltByteCount: Int)
    /// OAEP with an empty label; MGF1 with the same hash.
    case rsaOAEP(hash: MechanismHash)
    /// The bare private-key operation: no padding is made, checked or removed.
    case rsaX509
    /// Over a digest. The signature is r and s in big-endian order, each as long as the order of the curve.
    case ecdsa
    /// Pure Ed25519 of a whole message: no parameter (PKCS#11 v3.1 §6.3.14).
    case eddsa
    case hmac(hash: MechanismHash)
    /// AES key wrap with padding (RFC 5649), with its own constant for an IV.
    case aesKeyWrap(KeyWrapNumber)
    /// The bare x coordinate (CKD_NULL) of the shared point. `publicPoint` is in the form that the token wants.
    case ecdh1(publicPoint: [UInt8])

    /// How much longer than the input the output can be: the tag and, on tokens that append it, an IV of 16 bytes.
    ///
    /// Lengths are never asked for: the length query for GCM answers too little on NSS softoken, whose
    /// CKR_BUFFER_TOO_SMALL then ends the operation, and SoftHSM wants room for the tag in decryption too.
    var outputOverhead: Int {
        switch self {
        case .aesECB, .rsaPKCS, .rsaPSS, .rsaOAEP, .rsaX509, .ecdsa, .eddsa, .hmac, .aesKeyWrap, .ecdh1: 0
        case .aesGCM(let parameters): parameters.tagBits / 8 + 16
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

    mutating func withUnsafeMechanism<R>(_ body: (UnsafeMutablePointer<CK_MECHANISM>) -> R) -> R {
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
