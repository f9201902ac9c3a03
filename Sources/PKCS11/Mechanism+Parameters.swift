internal import CPKCS11

/// A hash function, as mechanisms name it in their parameters and in their own numbers.
public enum MechanismHash: Sendable, Hashable, CaseIterable {
    case sha1, sha224, sha256, sha384, sha512

    fileprivate var digest: CK_MECHANISM_TYPE {
        switch self {
        case .sha1: CKM_SHA_1
        case .sha224: CKM_SHA224
        case .sha256: CKM_SHA256
        case .sha384: CKM_SHA384
        case .sha512: CKM_SHA512
        }
    }

    fileprivate var maskGeneration: CK_ULONG {
        switch self {
        case .sha1: CKG_MGF1_SHA1
        case .sha224: CKG_MGF1_SHA224
        case .sha256: CKG_MGF1_SHA256
        case .sha384: CKG_MGF1_SHA384
        case .sha512: CKG_MGF1_SHA512
        }
    }

    fileprivate var hmac: CK_MECHANISM_TYPE {
        switch self {
        case .sha1: CKM_SHA_1_HMAC
        case .sha224: CKM_SHA224_HMAC
        case .sha256: CKM_SHA256_HMAC
        case .sha384: CKM_SHA384_HMAC
        case .sha512: CKM_SHA512_HMAC
        }
    }
}

extension Mechanism {
    /// Lends the mechanism as C wants it, and keeps what the token wrote into it.
    mutating func withUnsafeMechanism<R>(_ body: (UnsafeMutablePointer<CK_MECHANISM>) -> R) -> R {
        switch self {
        case .aesECB: return unsafe Self.withUnsafeMechanism(CKM_AES_ECB, body)
        case .rsaPKCS: return unsafe Self.withUnsafeMechanism(CKM_RSA_PKCS, body)
        case .rsaX509: return unsafe Self.withUnsafeMechanism(CKM_RSA_X_509, body)
        case .ecdsa: return unsafe Self.withUnsafeMechanism(CKM_ECDSA, body)
        case .eddsa: return unsafe Self.withUnsafeMechanism(CKM_EDDSA, body)
        case .hmac(let hash): return unsafe Self.withUnsafeMechanism(hash.hmac, body)
        case .aesKeyWrap(.kwp): return unsafe Self.withUnsafeMechanism(CKM_AES_KEY_WRAP_KWP, body)
        case .aesKeyWrap(.pad): return unsafe Self.withUnsafeMechanism(CKM_AES_KEY_WRAP_PAD, body)
        case .aesGCM(var parameters):
            defer { self = .aesGCM(parameters) }
            return unsafe parameters.withUnsafeMechanism(body)
        case .rsaPSS(let hash, let saltByteCount):
            let parameters = CK_RSA_PKCS_PSS_PARAMS(
                hashAlg: hash.digest, mgf: hash.maskGeneration, sLen: CK_ULONG(saltByteCount))
            return unsafe Self.withUnsafeMechanism(CKM_RSA_PKCS_PSS, parameters, body)
        case .rsaOAEP(let hash):
            let parameters = unsafe CK_RSA_PKCS_OAEP_PARAMS(
                hashAlg: hash.digest, mgf: hash.maskGeneration, source: CKZ_DATA_SPECIFIED, pSourceData: nil,
                ulSourceDataLen: 0)
            return unsafe Self.withUnsafeMechanism(CKM_RSA_PKCS_OAEP, parameters, body)
        case .ecdh1(var publicPoint):
            return unsafe publicPoint.withUnsafeMutableBufferPointer { point in
                let parameters = unsafe CK_ECDH1_DERIVE_PARAMS(
                    kdf: CKD_NULL, ulSharedDataLen: 0, pSharedData: nil, ulPublicDataLen: CK_ULONG(point.count),
                    pPublicData: point.baseAddress)
                return unsafe Self.withUnsafeMechanism(CKM_ECDH1_DERIVE, parameters, body)
            }
        }
    }

    private static func withUnsafeMechanism<R>(
        _ type: CK_MECHANISM_TYPE, _ body: (UnsafeMutablePointer<CK_MECHANISM>) -> R
    ) -> R {
        var mechanism = unsafe CK_MECHANISM(mechanism: type, pParameter: nil, ulParameterLen: 0)
        return unsafe withUnsafeMutablePointer(to: &mechanism) { unsafe body($0) }
    }

    private static func withUnsafeMechanism<Parameters, R>(
        _ type: CK_MECHANISM_TYPE, _ parameters: Parameters, _ body: (UnsafeMutablePointer<CK_MECHANISM>) -> R
    ) -> R {
        var parameters = parameters
        return unsafe withUnsafeMutablePointer(to: &parameters) { parameters in
            var mechanism = unsafe CK_MECHANISM(
                mechanism: type, pParameter: parameters, ulParameterLen: CK_ULONG(MemoryLayout<Parameters>.size))
            return unsafe withUnsafeMutablePointer(to: &mechanism) { unsafe body($0) }
        }
    }
}
