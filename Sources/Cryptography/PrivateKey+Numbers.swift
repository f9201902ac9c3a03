internal import CLibCrypto
public import SecureMemory

/// The numbers of a private key, big-endian, for devices that take them one by one.
public enum PrivateKeyNumbers: Sendable {
    /// RFC 8017 §A.1.2, for two primes.
    case rsa(RSA)
    /// As long as the order of the curve.
    case ellipticCurve(SecretBytes)

    /// The modulus and the private exponent are as long as the modulus, the five others half as long.
    public struct RSA: Sendable {
        public let modulus: [UInt8]
        /// Without leading zeros.
        public let publicExponent: [UInt8]
        public let privateExponent: SecretBytes
        public let prime1: SecretBytes
        public let prime2: SecretBytes
        public let exponent1: SecretBytes
        public let exponent2: SecretBytes
        public let coefficient: SecretBytes
    }
}

extension PrivateKey {
    /// The parts of an RSA or elliptic-curve key, by libcrypto's names (EVP_PKEY-RSA(7), EVP_PKEY-EC(7)).
    ///
    /// Errors: `unsupportedAlgorithm` for other keys.
    public func numbers() throws(CryptographyError) -> PrivateKeyNumbers {
        guard let object else { throw Self.notOffered(kind) }
        if let count = kind.modulusByteCount {
            // Longer public exponents are refused wherever a key comes in.
            let exponent = try object.number("e", 32)
            return .rsa(
                PrivateKeyNumbers.RSA(
                    modulus: try object.number("n", count).publicBytes,
                    publicExponent: Array(exponent.publicBytes.drop { $0 == 0 }),
                    privateExponent: try object.number("d", count),
                    prime1: try object.number("rsa-factor1", count / 2),
                    prime2: try object.number("rsa-factor2", count / 2),
                    exponent1: try object.number("rsa-exponent1", count / 2),
                    exponent2: try object.number("rsa-exponent2", count / 2),
                    coefficient: try object.number("rsa-coefficient1", count / 2)))
        }
        guard kind.family == .ellipticCurve, let count = kind.sharedSecretByteCount else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key is not taken apart")
        }
        return .ellipticCurve(try object.number("priv", count))
    }
}

extension KeyObject {
    fileprivate func number(_ name: String, _ byteCount: Int) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(capacity: byteCount) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                guard unsafe clibcrypto_private_number(pointer, name, output.baseAddress, CInt(byteCount)) == 1 else {
                    throw .fromLibrary("EVP_PKEY_get_bn_param")
                }
                initialized = byteCount
            }
        }
    }
}

extension SecretBytes {
    /// Of a number that is not secret.
    fileprivate var publicBytes: [UInt8] { withBytes { bytes in bytes.indices.map { bytes[$0] } } }
}
