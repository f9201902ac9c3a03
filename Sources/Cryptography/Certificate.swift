internal import CLibCrypto

/// X.509 certificates (RFC 5280), as far as this server looks at them.
public enum Certificate {
    /// Whether `pem` holds a certificate that parses. Neither its signature nor its dates are looked at.
    public static func isWellFormed(pem: [UInt8]) -> Bool {
        guard let count = Int32(exactly: pem.count) else { return false }
        defer { ERR_clear_error() }
        return unsafe pem.withUnsafeBytes { unsafe clibcrypto_is_pem_certificate($0.baseAddress, count) == 1 }
    }
}
