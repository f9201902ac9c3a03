internal import PKCS11
internal import SecureMemory

/// The bare ECDH secret (SP 800-56A §5.7.1.2) by CKM_ECDH1_DERIVE with CKD_NULL.
///
/// The token makes it as an object of the session, which is read and destroyed: it is what the caller of
/// DeriveSharedSecret asked for, not material of the key.
enum SharedSecret {
    /// How a token wants the other side's point. Bare is what every token must take (PKCS#11 v3.1 §6.3.17), and SoftHSM
    /// and NSS do; tokens of earlier versions of the standard may want the DER OCTET STRING.
    enum PointEncoding: String, Sendable {
        case bare, der
    }

    /// - Parameter point: uncompressed, on the curve.
    /// - Returns: the x coordinate, as long as the field; nil when the token's answer is longer.
    static func derive(
        point: [UInt8], _ encoding: PointEncoding, curve: Curve, key: ObjectHandle, in session: inout Session
    ) throws(PKCS11Error) -> SecretBytes? {
        let encoded = encoding == .bare ? point : DER.element(DER.octetString, point)
        let object = try session.deriveKey(
            .ecdh1(publicPoint: encoded), from: key,
            [
                .objectClass(.secretKey), .keyType(.genericSecret), .flag(.token, false), .flag(.sensitive, false),
                .flag(.extractable, true), .valueLength(curve.fieldByteCount),
            ])
        let secret: SecretBytes
        do throws(PKCS11Error) {
            secret = try session.secretValue(of: object, longest: curve.fieldByteCount)
        } catch {
            try? session.destroyObject(object)
            throw error
        }
        try session.destroyObject(object)
        return secret.count > 0 ? secret.padded(to: curve.fieldByteCount) : nil
    }
}
