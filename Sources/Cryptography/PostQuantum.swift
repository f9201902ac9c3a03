internal import CPostQuantum
internal import SecureMemory

/// ML-DSA and ML-KEM of the BoringSSL that swift-crypto carries, for a libcrypto without them (before 3.5).
///
/// Private keys are seeds (FIPS 204 §3.6.3, FIPS 203 §7.1), expanded when a key is opened.
enum PostQuantum {
    /// FIPS 203 §8.
    static let sharedSecretByteCount = 32
    /// µ of FIPS 204, Algorithm 7.
    static let representativeByteCount = 64

    /// Nil where BoringSSL offers no such parameter set.
    static func signatureSet(_ kind: AsymmetricKeyKind) -> cpq_mldsa? {
        switch kind {
        case .mlDSA44: cpq_mldsa_44
        case .mlDSA65: cpq_mldsa_65
        case .mlDSA87: cpq_mldsa_87
        default: nil
        }
    }

    /// Nil where BoringSSL offers no such parameter set.
    static func encapsulationSet(_ kind: AsymmetricKeyKind) -> cpq_mlkem? {
        switch kind {
        case .mlKEM768: cpq_mlkem_768
        case .mlKEM1024: cpq_mlkem_1024
        default: nil
        }
    }

    static func offers(_ kind: AsymmetricKeyKind) -> Bool {
        signatureSet(kind) != nil || encapsulationSet(kind) != nil
    }

    /// Whether the bytes are an encoded public key of this kind.
    static func isPublicKey(_ bytes: Span<UInt8>, _ kind: AsymmetricKeyKind) -> Bool {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            if let set = signatureSet(kind) {
                return unsafe cpq_mldsa_is_public(set, bytes.baseAddress, bytes.count) == 1
            }
            if let set = encapsulationSet(kind) {
                return unsafe cpq_mlkem_is_public(set, bytes.baseAddress, bytes.count) == 1
            }
            return false
        }
    }

    static func isValid(
        signature: Span<UInt8>, message: Span<UInt8>, publicKey: Span<UInt8>, _ set: cpq_mldsa
    ) -> Bool {
        unsafe signature.withUnsafeBufferPointer { signature in
            unsafe message.withUnsafeBufferPointer { message in
                unsafe publicKey.withUnsafeBufferPointer { publicKey in
                    unsafe cpq_mldsa_verify(
                        set, publicKey.baseAddress, publicKey.count, message.baseAddress, message.count,
                        signature.baseAddress, signature.count) == 1
                }
            }
        }
    }

    static func encapsulate(
        to publicKey: Span<UInt8>, _ set: cpq_mlkem, count: Int
    ) throws(CryptographyError) -> (secret: SecretBytes, ciphertext: [UInt8]) {
        var ciphertext = [UInt8](repeating: 0, count: count)
        let secret = try unsafe secret { output throws(CryptographyError) in
            let status = unsafe publicKey.withUnsafeBufferPointer { key in
                unsafe ciphertext.withUnsafeMutableBufferPointer { ciphertext in
                    unsafe cpq_mlkem_encapsulate(
                        set, key.baseAddress, key.count, ciphertext.baseAddress, ciphertext.count, output.baseAddress,
                        output.count)
                }
            }
            guard status == 1 else { throw CryptographyError(.failure, "encapsulation failed") }
        }
        return (secret, ciphertext)
    }

    fileprivate static func secret(
        _ fill: (UnsafeMutableBufferPointer<UInt8>) throws(CryptographyError) -> Void
    ) throws(CryptographyError) -> SecretBytes {
        try SecretBytes(capacity: sharedSecretByteCount) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                try unsafe fill(output)
                initialized = output.count
            }
        }
    }
}

/// A private key in the form that BoringSSL works with: about 20 KB, expanded from the seed.
final class ExpandedKey: Sendable {
    private let kind: AsymmetricKeyKind
    private let bytes: SecretBytes

    /// Errors: `unsupportedAlgorithm`; `invalidLength` for a seed of another length.
    init(seed: Span<UInt8>, _ kind: AsymmetricKeyKind) throws(CryptographyError) {
        guard PostQuantum.offers(kind) else { throw PrivateKey.notOffered(kind) }
        guard seed.count == kind.seedByteCount else {
            throw CryptographyError(.invalidLength, "a seed of \(seed.count) bytes for \(kind.rawValue)")
        }
        let (signatureSet, encapsulationSet) = (
            PostQuantum.signatureSet(kind), PostQuantum.encapsulationSet(kind)
        )
        let capacity =
            signatureSet.map { cpq_mldsa_private_byte_count($0) }
            ?? encapsulationSet.map { cpq_mlkem_private_byte_count($0) } ?? 0
        self.kind = kind
        // SecretBytes allocates as malloc does, which aligns for every type.
        bytes = try SecretBytes(capacity: capacity) { output throws(CryptographyError) in
            try unsafe output.withUnsafeMutableBufferPointer { output, initialized throws(CryptographyError) in
                let status = unsafe seed.withUnsafeBufferPointer { seed in
                    if let set = signatureSet {
                        return unsafe cpq_mldsa_expand(set, seed.baseAddress, seed.count, output.baseAddress)
                    }
                    if let set = encapsulationSet {
                        return unsafe cpq_mlkem_expand(set, seed.baseAddress, seed.count, output.baseAddress)
                    }
                    return 0
                }
                guard status == 1 else { throw CryptographyError(.failure, "a seed does not expand") }
                initialized = capacity
            }
        }
    }

    /// The encoded public key.
    func publicBytes() throws(CryptographyError) -> [UInt8] {
        var output = [UInt8](repeating: 0, count: kind.publicKeyByteCount ?? 0)
        let status = bytes.withBytes { key in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe output.withUnsafeMutableBufferPointer { output in
                    if let set = PostQuantum.signatureSet(kind) {
                        return unsafe cpq_mldsa_public(set, key.baseAddress, output.baseAddress, output.count)
                    }
                    if let set = PostQuantum.encapsulationSet(kind) {
                        return unsafe cpq_mlkem_public(set, key.baseAddress, output.baseAddress, output.count)
                    }
                    return 0
                }
            }
        }
        guard status == 1 else { throw CryptographyError(.failure, "a public key does not encode") }
        return output
    }

    /// Signs a message, or a 64-byte representative. ML-DSA only.
    func sign(_ message: Span<UInt8>, isRepresentative: Bool) throws(CryptographyError) -> [UInt8] {
        guard let set = PostQuantum.signatureSet(kind), let count = kind.signatureByteCount else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not sign")
        }
        var signature = [UInt8](repeating: 0, count: count)
        let status = bytes.withBytes { key in
            unsafe key.withUnsafeBufferPointer { key in
                unsafe message.withUnsafeBufferPointer { message in
                    unsafe signature.withUnsafeMutableBufferPointer { output in
                        isRepresentative
                            ? unsafe cpq_mldsa_sign_representative(
                                set, key.baseAddress, message.baseAddress, message.count, output.baseAddress,
                                output.count)
                            : unsafe cpq_mldsa_sign(
                                set, key.baseAddress, message.baseAddress, message.count, output.baseAddress,
                                output.count)
                    }
                }
            }
        }
        guard status == 1 else { throw CryptographyError(.failure, "\(kind.rawValue) does not sign") }
        return signature
    }

    /// The shared secret of a ciphertext whose length the caller has checked. ML-KEM only.
    func decapsulate(_ ciphertext: Span<UInt8>) throws(CryptographyError) -> SecretBytes {
        guard let set = PostQuantum.encapsulationSet(kind) else {
            throw CryptographyError(.unsupportedAlgorithm, "a \(kind.rawValue) key does not decapsulate")
        }
        return try unsafe PostQuantum.secret { output throws(CryptographyError) in
            let status = bytes.withBytes { key in
                unsafe key.withUnsafeBufferPointer { key in
                    unsafe ciphertext.withUnsafeBufferPointer { ciphertext in
                        unsafe cpq_mlkem_decapsulate(
                            set, key.baseAddress, ciphertext.baseAddress, ciphertext.count, output.baseAddress,
                            output.count)
                    }
                }
            }
            guard status == 1 else { throw CryptographyError(.failure, "decapsulation failed") }
        }
    }
}
