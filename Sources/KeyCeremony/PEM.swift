internal import KMSModel
internal import SecureMemory

/// The textual form of keys (RFC 7468). It is taken off here, in memory that is wiped; what is inside is libcrypto's to
/// read.
enum PEM {
    /// The DER of the first private key in `text`; nil when `text` is not PEM.
    ///
    /// - Parameter name: of the file, for errors.
    static func privateKey(in text: SecretBytes, name: String) throws(CeremonyError) -> SecretBytes? {
        try text.withBytes { text throws(CeremonyError) in
            var position = 0
            var others: [String] = []
            while let begin = find("-----BEGIN ", in: text, from: position) {
                guard let endOfLabel = find("-----", in: text, from: begin.upperBound),
                    let end = find("-----END ", in: text, from: endOfLabel.upperBound)
                else { throw CeremonyError("\(name) begins a PEM block and does not end it") }
                let label = ascii(text, begin.upperBound..<endOfLabel.lowerBound)
                switch label {
                case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
                    return try decode(text, endOfLabel.upperBound..<end.lowerBound, name)
                case "ENCRYPTED PRIVATE KEY": throw encrypted(name)
                // `openssl ecparam -genkey` writes EC PARAMETERS before the key.
                default: others.append(label)
                }
                position = end.upperBound
            }
            guard !others.isEmpty else { return nil }
            throw CeremonyError("\(name) holds no private key but \(others.joined(separator: ", "))")
        }
    }

    /// The length of a DER element that `bytes` begin with; all of them when it cannot be told.
    static func elementByteCount(_ bytes: Span<UInt8>) -> Int {
        guard bytes.count >= 4 else { return bytes.count }
        return switch bytes[1] {
        case ..<0x80: 2 + Int(bytes[1])
        case 0x81: 3 + Int(bytes[2])
        case 0x82: 4 + Int(bytes[2]) << 8 + Int(bytes[3])
        default: bytes.count
        }
    }

    private static func encrypted(_ name: String) -> CeremonyError {
        CeremonyError(
            "\(name) is encrypted; decrypt it into a pipe, so that the key is never on disk: "
                + "openssl pkcs8 -in \(name) | strongroom import-key-material --material-file - …")
    }

    private static func decode(
        _ text: Span<UInt8>, _ range: Range<Int>, _ name: String
    ) throws(CeremonyError) -> SecretBytes {
        // RFC 1421 §4.6: headers, which only encrypted keys in the traditional form have.
        if find("Proc-Type:", in: text.extracting(range), from: 0) != nil { throw encrypted(name) }
        let packed = SecretBytes(capacity: range.count) { output in
            for index in range where !isWhiteSpace(text[index]) { output.append(text[index]) }
        }
        let decoded = packed.withBytes { packed -> SecretBytes? in
            guard let count = Base64.decodedCount(packed), count > 0 else { return nil }
            var isValid = false
            let bytes = SecretBytes(capacity: count) { output in
                isValid = Base64.decode(packed, into: &output)
            }
            return isValid ? bytes : nil
        }
        guard let decoded else { throw CeremonyError("\(name) holds a private key in PEM that is not base64") }
        return decoded
    }

    private static func isWhiteSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0d ~= byte }

    private static func find(_ pattern: StaticString, in text: Span<UInt8>, from start: Int) -> Range<Int>? {
        let pattern = Array(pattern.description.utf8)
        guard text.count >= pattern.count, start <= text.count - pattern.count else { return nil }
        for index in start...(text.count - pattern.count)
        where pattern.indices.allSatisfy({ text[index + $0] == pattern[$0] }) {
            return index..<index + pattern.count
        }
        return nil
    }

    private static func ascii(_ text: Span<UInt8>, _ range: Range<Int>) -> String {
        var label: [UInt8] = []
        for index in range.prefix(64) { label.append(0x20...0x7e ~= text[index] ? text[index] : UInt8(ascii: "?")) }
        return String(decoding: label, as: UTF8.self)
    }
}
