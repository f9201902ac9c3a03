package import KMSModel

/// The encryption context of a request as associated data.
package enum EncryptionContext {
    /// AWS does not document the limit; 8192 bytes is what its external key stores must take.
    static let maximumBytes = 8192

    /// The canonical bytes: pairs sorted by the UTF-8 bytes of their keys, every part preceded by its length as four
    /// big-endian bytes, so that `{"ab":"c"}` and `{"a":"bc"}` differ. Empty and absent contexts are alike.
    ///
    /// Errors: ValidationException when the canonical form is longer than `maximumBytes`.
    package static func canonicalBytes(_ context: [Text: Text]?) throws(KMSError) -> [UInt8] {
        guard let context, !context.isEmpty else { return [] }
        var bytes: [UInt8] = []
        for (name, value) in context.sorted(by: { $0.key < $1.key }) {
            append(name, to: &bytes)
            append(value, to: &bytes)
        }
        guard bytes.count <= maximumBytes else {
            throw .validation("The encryption context is too large: at most \(maximumBytes) bytes are allowed.")
        }
        return bytes
    }

    private static func append(_ text: Text, to bytes: inout [UInt8]) {
        let utf8 = text.string.utf8
        let count = UInt32(truncatingIfNeeded: utf8.count)
        for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: count >> shift)) }
        bytes.append(contentsOf: utf8)
    }
}
