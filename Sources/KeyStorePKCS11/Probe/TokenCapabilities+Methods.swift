public import KMSModel
public import KeyStores
internal import PKCS11

// How a token does what it does, for people: which mechanism was seen to work, and what the server does beside it.

extension TokenCapabilities {
    /// Nil for what is refused.
    public func method(of algorithm: KeyAlgorithm, keySpec: KeySpec) -> String? {
        guard refusal(of: algorithm, keySpec: keySpec) == nil else { return nil }
        switch algorithm {
        case .encryption(.symmetricDefault): return "`CKM_AES_GCM`"
        case .encryption(let encryption):
            return switch oaepMethods[encryption] {
            case .token: "`CKM_RSA_PKCS_OAEP`"
            case .bareOperation: "`CKM_RSA_X_509` for keys that never sign; the server decodes the padding (OAEP)"
            case nil: nil
            }
        case .signing(let signing): return TokenSignature.method(of: signing)
        case .mac:
            guard let keyType = hmacKeyTypes[keySpec] else { return nil }
            return keyType == .genericSecret
                ? "a `CKK_GENERIC_SECRET` key" : "a key of the type of its hash, `CKK_SHA…_HMAC`"
        case .keyAgreement:
            return switch pointEncoding {
            case .bare: "`CKM_ECDH1_DERIVE` with `CKD_NULL`; the point bare"
            case .der: "`CKM_ECDH1_DERIVE` with `CKD_NULL`; the point in a DER OCTET STRING"
            }
        case .encapsulation: return nil
        }
    }
}

extension TokenSignature {
    /// The mechanism of a signing algorithm, and what it is given.
    static func method(of algorithm: SigningAlgorithmSpec) -> String? {
        switch algorithm {
        case .rsassaPkcs1V15Sha256, .rsassaPkcs1V15Sha384, .rsassaPkcs1V15Sha512:
            "`CKM_RSA_PKCS` on the DigestInfo; the server hashes"
        case .rsassaPssSha256, .rsassaPssSha384, .rsassaPssSha512: "`CKM_RSA_PKCS_PSS`; the server hashes"
        case .ecdsaSha256, .ecdsaSha384, .ecdsaSha512: "`CKM_ECDSA`; the server hashes and encodes in DER"
        case .ed25519Sha512: "`CKM_EDDSA`"
        case .ed25519PhSha512, .mlDsaShake256, .sm2dsa: nil
        }
    }
}
