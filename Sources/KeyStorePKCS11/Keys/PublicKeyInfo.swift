package import PKCS11

/// DER SubjectPublicKeyInfo (RFC 5280 §4.1): made from what a token says about a public key, and read where its
/// parts are needed.
package enum PublicKeyInfo {
    // rsaEncryption (RFC 8017 §A.1), id-ecPublicKey (RFC 5480 §2.1.1), id-Ed25519 (RFC 8410 §3).
    private static let rsaEncryption: [UInt8] = [
        0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01,
    ]
    private static let ecPublicKey: [UInt8] = [0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
    /// The object identifier, which is CKA_EC_PARAMS too (PKCS#11 v3.1 §6.3.5).
    static let ed25519: [UInt8] = [0x06, 0x03, 0x2B, 0x65, 0x70]
    static let ed25519ByteCount = 32

    /// The attributes of a public key object that its SubjectPublicKeyInfo is made of.
    static let attributes: [AttributeType] = [.modulus, .publicExponent, .ecParameters, .ecPoint]

    /// Nil when the attributes are not those of a public key of this form. That a point lies on its curve is for the
    /// cryptographic library to say.
    package static func encode(_ values: AttributeValues, as form: KeyForm) -> [UInt8]? {
        switch form {
        case .aes256, .hmac:
            return nil
        case .rsa(let modulusBits):
            guard let modulus = values.bytes(.modulus)?.drop(while: { $0 == 0 }),
                let exponent = values.bytes(.publicExponent)?.drop(while: { $0 == 0 }),
                // The product of two primes of the right size has its top bit set, and 65537 was asked for.
                modulus.count == modulusBits / 8, let first = modulus.first, first & 0x80 != 0,
                let last = modulus.last, last & 1 == 1, Array(exponent) == [1, 0, 1]
            else { return nil }
            return encode(modulus: modulus, publicExponent: exponent)
        case .ec(let curve):
            guard values.bytes(.ecParameters) == curve.parameters, let attribute = values.bytes(.ecPoint),
                let point = bare(attribute, byteCount: 1 + 2 * curve.fieldByteCount), point.first == 0x04
            else { return nil }
            return encode(point: point, on: curve)
        case .ed25519:
            guard let attribute = values.bytes(.ecPoint), let point = bare(attribute, byteCount: ed25519ByteCount)
            else { return nil }
            return DER.sequence(DER.sequence(ed25519), DER.bitString(point))
        }
    }

    /// Both big-endian.
    static func encode(
        modulus: some Collection<UInt8>, publicExponent: some Collection<UInt8>
    ) -> [UInt8] {
        DER.sequence(
            DER.sequence(rsaEncryption, DER.null),
            DER.bitString(DER.sequence(DER.unsignedInteger(modulus), DER.unsignedInteger(publicExponent))))
    }

    /// - Parameter point: uncompressed (SEC 1 §2.3.3).
    static func encode(point: [UInt8], on curve: Curve) -> [UInt8] {
        DER.sequence(DER.sequence(ecPublicKey, curve.parameters), DER.bitString(point))
    }

    /// CKA_EC_POINT is the DER OCTET STRING of the point (PKCS#11 v3.1 §6.3.3), except on tokens that give the bare
    /// point. The expected length tells them apart.
    private static func bare(_ attribute: [UInt8], byteCount: Int) -> [UInt8]? {
        if attribute.count == byteCount { return attribute }
        guard let contents = DER.contents(of: attribute, DER.octetString), contents.count == byteCount else {
            return nil
        }
        return Array(contents)
    }

    /// The uncompressed point of an elliptic-curve key; nil if it is on another curve or in another form.
    package static func point(of info: [UInt8], on curve: Curve) -> [UInt8]? {
        guard var outer = DER.contents(of: info, DER.sequence).map({ DERReader($0) }),
            let algorithm = outer.read(DER.sequence), let point = outer.readBitString(), outer.isAtEnd,
            Array(algorithm) == ecPublicKey + curve.parameters,
            point.count == 1 + 2 * curve.fieldByteCount, point.first == 0x04
        else { return nil }
        return Array(point)
    }

    /// The big-endian modulus of an RSA key without leading zeros; nil if it is no RSA key.
    package static func modulus(of info: [UInt8]) -> [UInt8]? {
        guard var outer = DER.contents(of: info, DER.sequence).map({ DERReader($0) }),
            let algorithm = outer.read(DER.sequence), let key = outer.readBitString(), outer.isAtEnd,
            Array(algorithm) == rsaEncryption + DER.null,
            var numbers = DER.contents(of: key, DER.sequence).map({ DERReader($0) }),
            let modulus = numbers.read(DER.integer)
        else { return nil }
        return Array(modulus.drop { $0 == 0 })
    }
}
