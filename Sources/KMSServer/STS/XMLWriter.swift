package import KMSModel
package import SecureMemory

/// Writes an XML 1.0 document of elements and texts, as answers of the AWS query protocol are.
package struct XMLWriter {
    private var bytes: [UInt8] = []

    package init() { bytes.reserveCapacity(2_048) }

    /// An element with what `content` writes in it.
    ///
    /// - Parameter name: a name that stands in the source text.
    package mutating func element<E: Error>(
        _ name: StaticString, namespace: StaticString? = nil, content: (inout XMLWriter) throws(E) -> Void
    ) throws(E) {
        append("<\(name.description)")
        if let namespace { append(" xmlns=\"\(namespace.description)\"") }
        append(">")
        try content(&self)
        append("</\(name.description)>")
    }

    /// An element with a text.
    package mutating func element(_ name: StaticString, _ text: Text) {
        element(name) { $0.text(text) }
    }

    /// An element with a secret whose characters need no escaping, such as base64.
    package mutating func element(_ name: StaticString, _ secret: SecretBytes) {
        element(name) { writer in
            secret.withBytes { bytes in
                for index in bytes.indices { writer.bytes.append(bytes[index]) }
            }
        }
    }

    /// Escapes what would be markup (XML 1.0 §2.4), and carriage returns, which a reader would make line feeds of
    /// (§2.11). A character that XML cannot hold at all (§2.2) becomes U+FFFD.
    private mutating func text(_ text: Text) {
        for scalar in text.string.unicodeScalars {
            switch scalar {
            case "&": append("&amp;")
            case "<": append("&lt;")
            case ">": append("&gt;")
            case "\"": append("&quot;")
            case "'": append("&apos;")
            case "\r": append("&#xD;")
            case "\t", "\n": bytes.append(UInt8(scalar.value))
            case "\u{0}"..."\u{1f}", "\u{fffe}", "\u{ffff}": append("\u{fffd}")
            default: bytes.append(contentsOf: Unicode.UTF8.encode(scalar) ?? .init())
            }
        }
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    package consuming func finish() -> [UInt8] { bytes }
}
