package import KMSModel

/// The address of a client as policies write it.
package enum ClientAddress {
    /// A listener on `::` sees IPv4 clients as `::ffff:192.0.2.1` (RFC 4291 §2.5.5.2); policies call them `192.0.2.1`.
    package static func text(_ address: String) -> Text {
        let mapped = "::ffff:"
        guard address.utf8.starts(with: mapped.utf8), address.utf8.contains(UInt8(ascii: ".")) else {
            return Text(address)
        }
        return Text(String(address.dropFirst(mapped.count)))
    }
}
