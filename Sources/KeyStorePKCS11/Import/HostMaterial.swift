internal import Cryptography
internal import KMSModel
internal import KeyStores
internal import PKCS11
internal import SecureMemory

/// Key material in this process's memory, checked, on its way into a token by C_CreateObject.
struct HostMaterial: Sendable {
    /// What C_CreateObject takes beside the template of a key.
    let attributes: [Attribute]
    let publicKey: [UInt8]?

    /// Errors: `invalidLength` and `invalidKey` with a reason for whoever made the material.
    init(_ material: SecretBytes, _ keySpec: KeySpec, _ form: KeyForm) throws(CryptographyError) {
        guard let kind = keySpec.keyPairKind else {
            guard material.count == form.secretByteCount else {
                throw CryptographyError(
                    .invalidLength,
                    "the material has \(material.count) bytes instead of \(form.secretByteCount ?? 0)")
            }
            attributes = [.value(material)]
            publicKey = nil
            return
        }
        let key = try PrivateKey(imported: material, kind: kind)
        switch (form, try key.numbers()) {
        case (.rsa, .rsa(let numbers)):
            attributes = [
                .bytes(.modulus, numbers.modulus), .bytes(.publicExponent, numbers.publicExponent),
                .secret(.privateExponent, numbers.privateExponent), .secret(.prime1, numbers.prime1),
                .secret(.prime2, numbers.prime2), .secret(.exponent1, numbers.exponent1),
                .secret(.exponent2, numbers.exponent2), .secret(.coefficient, numbers.coefficient),
            ]
        case (.ec(let curve), .ellipticCurve(let scalar)):
            attributes = [.bytes(.ecParameters, curve.parameters), .value(scalar)]
        default:
            throw CryptographyError(.unsupportedAlgorithm, "\(keySpec.rawValue) keys do not come in from outside")
        }
        publicKey = key.publicKey.spki
    }
}
