internal import Cryptography

extension AsymmetricKeyKind {
    /// Whether private-key work takes less than 200 µs (docs/benchmarks.md).
    var isQuick: Bool {
        switch self {
        case .p256, .ed25519, .mlKEM512, .mlKEM768, .mlKEM1024: true
        case .rsa2048, .rsa3072, .rsa4096, .p384, .p521, .secp256k1, .sm2, .mlDSA44, .mlDSA65, .mlDSA87: false
        }
    }
}
